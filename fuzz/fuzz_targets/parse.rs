//! Any bytes become a tree that prints them again and whose parts fit into each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nginspect::source::{Origin, Sources};
use nginspect::syntax::parse;

fuzz_target!(|text: &[u8]| {
    let file = Sources::default().add("fuzz.conf", Origin::Dump, Vec::new());
    let tree = parse(file, text, nginspect::nginx::accepts);
    assert!(tree.print(text) == text, "a byte is lost");

    for pair in tree.tokens.windows(2) {
        assert!(pair[0].start < pair[0].end && pair[0].end <= pair[1].start);
    }
    for (index, node) in tree.nodes.iter().enumerate() {
        assert!(index < node.end as usize && node.end as usize <= tree.nodes.len());
        assert!(node.head < node.body && node.body as usize <= tree.tokens.len());
        if let Some(parent) = node.parent {
            assert!((parent as usize) < index && node.end <= tree.nodes[parent as usize].end);
        }
        let span = tree.full_span(node);
        assert!(span.start < span.end && span.end as usize <= text.len());
        for word in tree.words(node) {
            let _ = tree.value(word, text);
        }
    }
    for mistake in &tree.mistakes {
        let places = [Some(mistake.span), mistake.related];
        for span in places.into_iter().flatten() {
            assert!(span.start <= span.end && span.end as usize <= text.len());
        }
    }
});
