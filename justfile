# Each recipe is one line of cargo, so that nobody needs just.

# Formatting, lints, tests and documentation.
check:
    cargo fmt --check && cargo clippy --all-targets -- -D warnings && cargo test && RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# All tests.
test:
    cargo test

# Write generated files anew: first the list of rules, then what is made from it.
update:
    NGINSPECT_UPDATE=1 cargo test -q --test generated && NGINSPECT_UPDATE=1 cargo test -q --test generated --test cli

# Bring the tables of directives and variables up to a source tree of nginx, and show what changed.
refresh TREE:
    NGINSPECT_UPDATE=1 NGINSPECT_NGINX_SOURCE="{{TREE}}" cargo test -q --test tables source_tree -- --nocapture && git diff --stat src/nginx

# Feed the parser (or the proofs: `just fuzz space`) with nonsense, on nightly Rust with cargo-fuzz.
fuzz TARGET="parse":
    cargo +nightly fuzz run {{TARGET}}

# How long parsing and proving take.
bench:
    cargo bench
