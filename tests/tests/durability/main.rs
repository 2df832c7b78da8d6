//! What was acknowledged stays: over restarts, kills, and in the order of the system calls.

mod crash;
mod faults;
mod group_crash;
mod group_state;
mod presence;
mod restart;
mod write_order;
