//! Templates against the documented behaviour of Go.
