//! Methods: MoCo, PIRL, and a supervised control.
