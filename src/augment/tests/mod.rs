//! Tests of views.

mod golden;
mod views;
