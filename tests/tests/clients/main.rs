//! Recorded clients against a server: from connecting to chatting, as docs/protocol/clients.md
//! describes each of them. `AND-5` and the like are the items of its checklists.

mod android;
mod android_lists;
mod android_wbxml;
mod cir;
mod form_login;
mod movistar;
mod s60;
mod several;
mod terminal;
