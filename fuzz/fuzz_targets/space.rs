//! Whatever a pattern is, the proofs about its location end, and a path that they give is one that PCRE2 takes.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use nginspect::config::{LoadOptions, Root, load};
use nginspect::routing::{Choice, choose};
use nginspect::urispace::{Found, Goal, Space};

fuzz_target!(|patterns: Vec<String>| {
    let quoted = |pattern: &String| {
        let text = pattern.replace('\\', "\\\\").replace('"', "\\\"");
        format!("location ~ \"{text}\" {{ }}\n")
    };
    let locations: String = patterns.iter().take(4).map(quoted).collect();
    let text = format!("events {{ }} http {{ server {{ location / {{ }}\n{locations} }} }}");
    let path = PathBuf::from("/nowhere/nginx.conf");
    let mut options = LoadOptions::default();
    options
        .files
        .buffers
        .insert(path.clone(), text.into_bytes());
    let Ok(config) = load(&Root::File(path), &options) else {
        return;
    };
    let Some(server) = config.servers().next() else {
        return;
    };
    let mut space = Space::new(&[server.directive.locations()]);
    for location in config.locations() {
        let wanted = Choice::Location(location);
        if let Found::Uri(path) = space.find(&Goal::client(wanted.clone())) {
            assert!(choose(server, &path) == wanted, "{}", path.escape_ascii());
        }
    }
});
