//! `postls probe` against servers on loopback.

mod name_server;
mod published;
mod route;
mod sent;
