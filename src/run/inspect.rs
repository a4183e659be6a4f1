//! `vidpairs inspect`: what a data set holds.
