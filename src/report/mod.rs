//! Pages for people: what a data set holds, to be seen at a glance.
