//! Tests of views.

mod boxes;
mod golden;
mod views;
