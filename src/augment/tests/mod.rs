//! Tests of views.

mod golden;
