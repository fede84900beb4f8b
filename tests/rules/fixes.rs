//! Fixes do what they say: the text still parses, and the finding is gone.

use nginspect::config::{Config, Job};
use nginspect::diagnostic::{Diagnostic, Edit, Fix, Safety};
use nginspect::rule::Fixes;
use nginspect::source::Origin;

use crate::fixture::{Fixture, Texts, concise, place};

/// How often a text is fixed before it must have come to rest.
const MAX_ROUNDS: usize = 10;

/// What is wrong with the fixes of a fixture's findings, a line each.
pub(crate) fn faults(fixture: &Fixture) -> Vec<String> {
    let job = fixture.load(&Texts::new());
    let findings = fixture.findings(&job);
    let mut faults = Vec::new();
    for finding in &findings {
        for fix in &finding.fixes {
            if let Err(fault) = try_fix(fixture, &job, &findings, finding, fix) {
                let place = place(&job.config, finding);
                faults.push(format!(
                    "{place}: {}: `{}` {fault}",
                    concise(finding),
                    fix.title
                ));
            }
        }
    }
    if let Err(fault) = fix_all(fixture) {
        faults.push(format!("{}: {fault}", fixture.path.display()));
    }
    faults
}

fn try_fix(
    fixture: &Fixture,
    job: &Job,
    findings: &[Diagnostic],
    finding: &Diagnostic,
    fix: &Fix,
) -> Result<(), String> {
    let declared = fixture.rule.1.fix;
    if declared == Fixes::None || (declared == Fixes::Unsafe && fix.safety == Safety::Safe) {
        let safety = fix.safety.as_str();
        return Err(format!("is {safety}, and the rule declares {declared:?}"));
    }
    let mut texts = Texts::new();
    apply(&job.config, &mut texts, &fix.edits)?;
    let fixed = fixture.load(&texts);
    let mistakes = |job: &Job| job.config.mistakes().count();
    if mistakes(&fixed) > mistakes(job) {
        return Err("breaks the syntax".to_owned());
    }
    if let Some(header) = lost_header(&job.config, &fixed.config) {
        return Err(format!("loses the header {header}"));
    }
    let left = fixture.findings(&fixed);
    // What was said of several places at once may come back for one that the fix did not touch.
    let alike = |all: &[Diagnostic]| {
        let same = |other: &&Diagnostic| other.message == finding.message;
        all.iter().filter(same).count()
    };
    if left.len() > findings.len() || alike(&left) >= alike(findings) {
        let left: Vec<_> = left.iter().map(concise).collect();
        return Err(format!("leaves {left:?}"));
    }
    Ok(())
}

/// A header that some place sent to its upstream before and after a fix no longer does.
fn lost_header(before: &Config, after: &Config) -> Option<String> {
    let names = |config: &Config| -> Vec<Vec<String>> {
        let names = |place: nginspect::config::Proxied<'_>| {
            let headers = place.headers();
            let names = headers
                .directives()
                .iter()
                .filter_map(|header| header.argument(0));
            names.map(|name| name.text().to_lowercase()).collect()
        };
        config.proxied().map(names).collect()
    };
    let (before, after) = (names(before), names(after));
    let lost = before
        .iter()
        .zip(&after)
        .filter(|_| before.len() == after.len());
    lost.flat_map(|(before, after)| before.iter().filter(|name| !after.contains(name)))
        .next()
        .cloned()
}

/// Makes every first fix, again and again, until no finding offers any.
fn fix_all(fixture: &Fixture) -> Result<(), String> {
    let mut texts = Texts::new();
    for _ in 0..MAX_ROUNDS {
        let job = fixture.load(&texts);
        let findings = fixture.findings(&job);
        let mut edits: Vec<Edit> = Vec::new();
        for fix in findings.iter().filter_map(|finding| finding.fixes.first()) {
            let clashes = |edit: &Edit| edits.iter().any(|other| overlap(edit, other));
            if !fix.edits.iter().any(clashes) {
                edits.extend(fix.edits.iter().cloned());
            }
        }
        if edits.is_empty() {
            return Ok(());
        }
        apply(&job.config, &mut texts, &edits)?;
    }
    Err(format!("still not at rest after {MAX_ROUNDS} rounds"))
}

/// Makes edits in texts that stand for the files of a configuration.
pub(crate) fn apply(config: &Config, texts: &mut Texts, edits: &[Edit]) -> Result<(), String> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort();
    if edits.windows(2).any(|pair| overlap(pair[0], pair[1])) {
        return Err("has edits that overlap".to_owned());
    }
    for edit in edits.iter().rev() {
        let file = config.sources().file(edit.span.file);
        let (Origin::Disk(path) | Origin::Buffer(path)) = file.origin() else {
            return Err("edits a file that is not on disk".to_owned());
        };
        let text = texts
            .entry(path.clone())
            .or_insert_with(|| file.bytes().to_vec());
        text.splice(edit.span.range(), edit.text.bytes());
    }
    Ok(())
}

/// True when two edits meet, or insert at the same place.
fn overlap(a: &Edit, b: &Edit) -> bool {
    let (a, b) = if a.span <= b.span { (a, b) } else { (b, a) };
    a.span.file == b.span.file && (b.span.start < a.span.end || a.span.start == b.span.start)
}
