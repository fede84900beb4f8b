//! Findings for people at a terminal: a headline, the places drawn by miette, an example request, help, and the first
//! fix as a diff.

use super::diff::{self, FileDiff};
use super::shown::{Shown, TAB_WIDTH};
use super::{Description, Findings, printable};
use crate::diagnostic::{Diagnostic, Fix, Safety, Severity, Witness};
use crate::source::{FileId, SourceFile, Sources, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

/// Below this many columns everything would be torn to pieces; a narrower terminal wraps by itself.
const NARROWEST: usize = 40;

/// A line of a file is cut here even when the terminal is wider, or is no terminal at all.
const LONGEST_LINE: usize = 500;

/// Words of messages that are longer lose their middle.
const LONGEST_WORD: usize = 200;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const BOLD_CYAN: &str = "1;36";

/// What the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Print in colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Make the names of rules hyperlinks to their pages.
    pub links: bool,
    /// End with a line that counts the findings.
    pub summary: bool,
}

/// Writes every finding.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, findings: &Findings, options: &Options) -> io::Result<()> {
    for (sources, diagnostic) in findings.iter() {
        let page = Page {
            sources,
            describe: findings.describe,
            options,
        };
        let mut text = page.headline(diagnostic);
        text.push_str(&page.frames(diagnostic)?);
        if let Some(witness) = &diagnostic.witness {
            text.extend(page.example(diagnostic, witness));
        }
        if let Some(help) = &diagnostic.help {
            text.push_str(&page.aside("help", help));
        }
        if let Some(fix) = diagnostic.fixes.first() {
            text.push_str(&page.fix(fix, diagnostic.span.file));
        }
        for line in text.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    if options.summary {
        writeln!(out, "{}", summary(findings))?;
    }
    Ok(())
}

struct Page<'a> {
    sources: &'a Sources,
    describe: &'a dyn Fn(&str) -> Description,
    options: &'a Options,
}

impl Page<'_> {
    fn width(&self) -> usize {
        self.options.width.max(NARROWEST)
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.options.color {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn headline(&self, diagnostic: &Diagnostic) -> String {
        let severity = diagnostic.severity.as_str();
        let style = match diagnostic.severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Note => "1;36",
        };
        let kind = if self.options.links {
            let url = (self.describe)(diagnostic.rule).url;
            let rule = diagnostic.rule;
            format!(
                "{severity}[\x1b]8;;{}\x1b\\{rule}\x1b]8;;\x1b\\]",
                printable(&url)
            )
        } else {
            format!("{severity}[{}]", diagnostic.rule)
        };
        let indent = severity.len() + diagnostic.rule.len() + 4;
        let message = self.wrapped(&diagnostic.message, indent, 2);
        format!(
            "{}: {}\n",
            self.paint(style, &kind),
            self.paint(BOLD, &message)
        )
    }

    fn frames(&self, diagnostic: &Diagnostic) -> io::Result<String> {
        let frames = Frames::new(self.sources, diagnostic, self.width());
        let handler = GraphicalReportHandler::new_themed(self.theme(diagnostic.severity, &frames))
            .with_wrap_lines(false)
            .with_context_lines(1)
            .tab_width(TAB_WIDTH)
            .without_syntax_highlighting();
        let mut text = String::new();
        handler
            .render_report(&mut text, &frames)
            .map_err(io::Error::other)?;
        Ok(text.trim_start_matches('\n').to_owned())
    }

    /// The finding's own place has the colour of its severity; all others share one.
    fn theme(&self, severity: Severity, frames: &Frames) -> GraphicalTheme {
        if !self.options.color {
            return GraphicalTheme::unicode_nocolor();
        }
        let mut theme = GraphicalTheme::unicode();
        let plain = GraphicalTheme::unicode_nocolor().styles.link;
        let own = match severity {
            Severity::Error => theme.styles.error,
            Severity::Warning => theme.styles.warning,
            Severity::Note => theme.styles.advice,
        };
        theme.styles.link = plain.cyan();
        theme.styles.highlights = frames
            .marks
            .iter()
            .map(|mark| if mark.primary { own } else { plain.blue() }.bold())
            .collect();
        theme
    }

    fn example(&self, diagnostic: &Diagnostic, witness: &Witness) -> Option<String> {
        let Witness { request, effect } = witness;
        let message = &diagnostic.message;
        if message.contains(request.as_str()) && message.contains(effect.as_str()) {
            return None;
        }
        Some(self.aside("example", &format!("{request} → {effect}")))
    }

    fn aside(&self, name: &str, text: &str) -> String {
        let indent = 2 + name.len() + 2;
        let text = self.wrapped(text, indent, indent);
        format!("  {} {text}\n", self.paint(BOLD_CYAN, &format!("{name}:")))
    }

    fn fix(&self, fix: &Fix, home: FileId) -> String {
        let mut text = match fix.safety {
            Safety::Safe => self.aside("fix", &fix.title),
            Safety::Unsafe => self.aside("suggestion (unsafe)", &fix.title),
        };
        let width = (self.width() - 10).min(LONGEST_LINE);
        let files = diff::of_fix(self.sources, fix, home, width);
        let digits = files
            .iter()
            .flat_map(|file| &file.rows)
            .map(|row| row.number.to_string().len())
            .max()
            .unwrap_or(1);
        for file in &files {
            if file.file != home {
                let name = printable(self.sources.file(file.file).name());
                text.push_str(&format!("    in {name}:\n"));
            }
            text.push_str(&self.rows(file, digits));
        }
        text
    }

    fn rows(&self, file: &FileDiff, digits: usize) -> String {
        let mut text = String::new();
        for row in &file.rows {
            let number = self.paint(DIM, &format!("{:>digits$}", row.number));
            let (style, sign) = if row.added { (GREEN, '+') } else { (RED, '-') };
            let line = format!("{sign} {}", with_spaces(&row.text));
            let line = self.paint(style, line.trim_end());
            text.push_str(&format!("    {number} {line}\n"));
        }
        if file.omitted > 0 {
            let lines = counted(file.omitted, "more line");
            text.push_str(&format!("    {:digits$} … {lines}\n", ""));
        }
        text
    }

    /// The text with line breaks between words, the first line starting in column `first`, others in column `rest`.
    fn wrapped(&self, text: &str, first: usize, rest: usize) -> String {
        let width = self.width();
        let mut wrapped = String::new();
        let mut column = first;
        for word in printable(text).split(' ') {
            let word = shortened(word);
            let length = word.chars().count();
            if wrapped.is_empty() {
                column += length;
            } else if column + 1 + length <= width {
                wrapped.push(' ');
                column += 1 + length;
            } else {
                wrapped.push('\n');
                wrapped.extend(std::iter::repeat_n(' ', rest));
                column = rest + length;
            }
            wrapped.push_str(&word);
        }
        wrapped
    }
}

/// A word without its middle when it is so long that nobody would read it.
fn shortened(word: &str) -> Cow<'_, str> {
    let length = word.chars().count();
    if length <= LONGEST_WORD {
        return Cow::Borrowed(word);
    }
    let head: String = word.chars().take(LONGEST_WORD * 3 / 4).collect();
    let tail: String = word.chars().skip(length - LONGEST_WORD / 4).collect();
    Cow::Owned(format!("{head}…{tail}"))
}

fn with_spaces(line: &str) -> String {
    let mut spaced = String::with_capacity(line.len());
    let mut column = 0;
    for letter in line.chars() {
        if letter == '\t' {
            let width = TAB_WIDTH - column % TAB_WIDTH;
            spaced.extend(std::iter::repeat_n(' ', width));
            column += width;
        } else {
            spaced.push(letter);
            column += 1;
        }
    }
    spaced
}

/// How many findings there are, in how many files.
pub fn summary(findings: &Findings) -> String {
    let kinds: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (findings.count(severity), severity.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| counted(count, name))
        .collect();
    let files = counted(findings.files, "file");
    if kinds.is_empty() {
        format!("no findings in {files}")
    } else {
        format!("{} in {files}", kinds.join(", "))
    }
}

fn counted(count: usize, name: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

/// The lines around a finding's places, from all files, with marks on them.
///
/// miette asks for one source in each report and would draw other files as reports of their own with headlines of
/// their own. So the lines of all files stand in one text here, and only [`SourceCode::read_span`] knows the borders.
#[derive(Debug)]
struct Frames {
    excerpt: Excerpt,
    marks: Vec<Mark>,
}

/// A labelled range of the excerpt's text.
#[derive(Debug)]
struct Mark {
    range: Range<usize>,
    /// The column in the file, from 0.
    column: usize,
    primary: bool,
    message: Option<String>,
}

#[derive(Debug, Default)]
struct Excerpt {
    text: String,
    lines: Vec<Line>,
    names: Vec<String>,
    /// Where marks begin in the text, and in which column of their file.
    columns: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Line {
    /// Index of the file's name.
    name: usize,
    /// Index of the line in its file.
    number: usize,
    /// Offset in the excerpt's text.
    start: usize,
}

/// A label and the part of its first line that it covers.
struct Place<'a> {
    span: Span,
    line: usize,
    range: Range<usize>,
    primary: bool,
    message: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn new(sources: &Sources, span: Span, message: Option<&'a str>, primary: bool) -> Self {
        let file = sources.file(span.file);
        let line = file.line_index(span.start);
        let begin = file.line_starts()[line] as usize;
        let bytes = file.line(line);
        let length = bytes.strip_suffix(b"\r").unwrap_or(bytes).len();
        let start = (span.start as usize - begin).min(length);
        let end = (span.end as usize - begin).clamp(start, length);
        Self {
            span,
            line,
            range: start..end,
            primary,
            message: message.filter(|message| !message.is_empty()),
        }
    }
}

impl Frames {
    fn new(sources: &Sources, diagnostic: &Diagnostic, width: usize) -> Self {
        let own = (diagnostic.span, diagnostic.label.as_deref(), true);
        let others = diagnostic
            .labels
            .iter()
            .map(|label| (label.span, Some(label.message.as_str()), false));
        let places: Vec<Place> = std::iter::once(own)
            .chain(others)
            .map(|(span, message, primary)| Place::new(sources, span, message, primary))
            .collect();
        let mut ids: Vec<FileId> = Vec::new();
        for place in &places {
            if !ids.contains(&place.span.file) {
                ids.push(place.span.file);
            }
        }

        let mut excerpt = Excerpt::default();
        let mut marks = Vec::new();
        for id in ids {
            let here: Vec<&Place> = places
                .iter()
                .filter(|place| place.span.file == id)
                .collect();
            excerpt.add_file(sources.file(id), &here, width, &mut marks);
        }
        let marks = apart(marks);
        excerpt.columns = marks
            .iter()
            .map(|mark| (mark.range.start, mark.column))
            .collect();
        Self { excerpt, marks }
    }
}

impl Excerpt {
    fn add_file(
        &mut self,
        file: &SourceFile,
        places: &[&Place],
        width: usize,
        marks: &mut Vec<Mark>,
    ) {
        let wanted = wanted_lines(file, places);
        let digits = wanted.last().map_or(1, |line| (line + 1).to_string().len());
        let width = (width - digits - 4).min(LONGEST_LINE);

        for number in wanted {
            let on_line = || places.iter().filter(|place| place.line == number);
            let focus = on_line()
                .find(|place| place.primary)
                .or_else(|| on_line().next())
                .map_or(0..0, |place| place.range.clone());
            let shown = Shown::new(file.line(number), focus, width);
            let start = self.text.len();
            marks.extend(on_line().map(|place| {
                let range = shown.range(place.range.clone());
                Mark {
                    range: start + range.start..start + range.end,
                    column: file.position(place.span.start).column as usize - 1,
                    primary: place.primary,
                    message: place.message.map(one_line),
                }
            }));
            self.lines.push(Line {
                name: self.names.len(),
                number,
                start,
            });
            self.text.push_str(&shown.text);
            self.text.push('\n');
        }
        self.names.push(one_line(file.name()));
    }

    /// Index of the line that holds an offset of the text.
    fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|line| line.start <= offset) - 1
    }

    fn are_neighbours(&self, upper: usize, lower: usize) -> bool {
        match (self.lines.get(upper), self.lines.get(lower)) {
            (Some(upper), Some(lower)) => {
                upper.name == lower.name && upper.number + 1 == lower.number
            }
            _ => false,
        }
    }
}

/// The lines of the places and their neighbours, but not the nothing after a final line feed.
fn wanted_lines(file: &SourceFile, places: &[&Place]) -> BTreeSet<usize> {
    let starts = file.line_starts();
    let mut wanted = BTreeSet::new();
    for place in places {
        wanted.extend(place.line.saturating_sub(1)..=place.line);
        let below = place.line + 1;
        if starts
            .get(below)
            .is_some_and(|start| (*start as usize) < file.bytes().len())
        {
            wanted.insert(below);
        }
    }
    wanted
}

fn one_line(text: &str) -> String {
    let words: Vec<String> = printable(text)
        .split(' ')
        .map(|word| shortened(word).into_owned())
        .collect();
    words.join(" ")
}

/// Sorts marks and makes them disjoint: miette draws a mark that overlaps an earlier one beside its place.
fn apart(mut marks: Vec<Mark>) -> Vec<Mark> {
    marks.sort_by_key(|mark| (mark.range.start, mark.range.end, !mark.primary));
    let mut disjoint: Vec<Mark> = Vec::with_capacity(marks.len());
    for mut mark in marks {
        match disjoint.last_mut() {
            Some(last) if last.range == mark.range => {
                last.primary |= mark.primary;
                last.message = match (last.message.take(), mark.message) {
                    (Some(one), Some(other)) => Some(format!("{one}; {other}")),
                    (one, other) => one.or(other),
                };
                continue;
            }
            Some(last) if mark.range.start < last.range.end => {
                if last.range.start < mark.range.start {
                    last.range.end = mark.range.start;
                } else {
                    mark.range.start = last.range.end.min(mark.range.end);
                }
            }
            _ => {}
        }
        disjoint.push(mark);
    }
    disjoint.sort_by_key(|mark| mark.range.start);
    disjoint
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let marked = self.line_at(span.offset());
        let mut first = marked;
        let mut last = self.line_at(span.offset() + span.len());
        // miette tries to put marks of different frames into one; it must not when lines lie between them.
        if (first..last).any(|line| !self.are_neighbours(line, line + 1)) {
            return Err(MietteError::OutOfBounds);
        }
        while first > 0 && marked - first < lines_before && self.are_neighbours(first - 1, first) {
            first -= 1;
        }
        let wanted_last = last + lines_after;
        while last < wanted_last && self.are_neighbours(last, last + 1) {
            last += 1;
        }

        // Without context miette only asks for the place to name in the frame's first line.
        let column = if lines_before == 0 {
            self.columns
                .iter()
                .find(|(start, _)| *start == span.offset())
                .map_or(0, |(_, column)| *column)
        } else {
            0
        };
        let start = self.lines[first].start;
        let end = self
            .lines
            .get(last + 1)
            .map_or(self.text.len(), |line| line.start);
        Ok(Box::new(MietteSpanContents::new_named(
            self.names[self.lines[first].name].clone(),
            &self.text.as_bytes()[start..end],
            (start, end - start).into(),
            self.lines[first].number,
            column,
            last + 1 - first,
        )))
    }
}

impl miette::Diagnostic for Frames {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.marks.iter().map(|mark| {
            let span = (mark.range.start, mark.range.len());
            if mark.primary {
                LabeledSpan::new_primary_with_span(mark.message.clone(), span)
            } else {
                LabeledSpan::new_with_span(mark.message.clone(), span)
            }
        })))
    }
}

impl std::error::Error for Frames {}

/// Nothing: the message is in the headline, which miette would indent and mark with a symbol.
impl fmt::Display for Frames {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
