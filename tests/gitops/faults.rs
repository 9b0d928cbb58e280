//! Git away, the API away, killed anywhere: the end is the same as without the fault.
