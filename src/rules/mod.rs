//! Every rule. Generated from this directory by `just update`; do not edit.

use crate::rule::Rule;

/// The rules by name.
pub static RULES: &[(&str, &Rule)] = &[];
