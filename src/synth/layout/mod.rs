//! The layouts of real data sets: names, label files, archives.
