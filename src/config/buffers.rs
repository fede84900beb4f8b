//! Sizes of buffers that nginx compares with each other when it merges a level (`ngx_http_proxy_merge_loc_conf` and
//! those of fastcgi, uwsgi and scgi).

use super::{Config, Directive, Proxied, Visibility};
use crate::nginx::{self, Contexts};

/// The handlers whose responses go through such buffers.
const FAMILIES: [&str; 4] = ["proxy", "fastcgi", "uwsgi", "scgi"];

/// What decides, without the name of the handler.
const NAMES: [&str; 5] = [
    "buffer_size",
    "buffers",
    "busy_buffers_size",
    "temp_file_write_size",
    "max_temp_file_size",
];

/// A page of memory in bytes, of which the defaults are made: nearly everywhere.
const PAGE: u64 = 4096;

/// Sizes that nginx refuses together.
#[derive(Debug)]
pub struct BufferClash<'c> {
    /// The directives that set them, the one at the innermost level last.
    pub directives: Vec<Directive<'c>>,
    /// What is wrong: a sentence without a full stop.
    pub problem: String,
    /// A line that would make room, where one is certain to do.
    pub remedy: Option<String>,
    /// How much is visible of what could set the sizes.
    pub visibility: Visibility,
}

impl Config {
    /// The buffers that nginx refuses, each at the outermost level that has them.
    pub fn buffer_clashes(&self) -> Vec<BufferClash<'_>> {
        let levels = [
            Contexts::SERVER,
            Contexts::LOCATION,
            Contexts::LOCATION_IF,
            Contexts::LIMIT_EXCEPT,
        ];
        let levels = levels.into_iter().fold(Contexts::NONE, Contexts::union);
        let mut clashes = Vec::new();
        for directive in self.directives() {
            let name = directive.name();
            let Some(family) = FAMILIES.iter().find(|family| is_size(&name, family)) else {
                continue;
            };
            let Some(block) = directive.parent() else {
                continue;
            };
            let inside = block.inside();
            // The http level is merged into its servers, and only there compared.
            let level = match inside {
                Contexts::HTTP => block
                    .children()
                    .find(|child| child.inside() == Contexts::SERVER),
                _ => Some(block).filter(|_| inside.intersects(levels)),
            };
            clashes.extend(level.and_then(|level| clash(level, family)));
        }
        clashes
    }
}

fn is_size(name: &[u8], family: &str) -> bool {
    let rest = name.strip_prefix(family.as_bytes());
    let rest = rest.and_then(|rest| rest.strip_prefix(b"_"));
    rest.is_some_and(|rest| NAMES.iter().any(|size| size.as_bytes() == rest))
}

fn clash<'c>(level: Directive<'c>, family: &str) -> Option<BufferClash<'c>> {
    let mut directives = Vec::new();
    let mut visibility = Visibility::Whole;
    let mut words = |size: &str| -> Option<Vec<Option<u64>>> {
        let effective = level.effective(&format!("{family}_{size}"));
        visibility = visibility.max(effective.visibility);
        let directive = effective.directive()?;
        directives.push(directive);
        let sizes = directive.arguments().map(|word| nginx::size(&word));
        Some(sizes.collect())
    };
    // A value that nginx refuses by itself is for others to report.
    let mut one = |size: &str, default: u64| match words(size) {
        None => Some(default),
        Some(sizes) => sizes.first().copied().flatten(),
    };
    let unset = u64::MAX;
    let buffer = one("buffer_size", PAGE)?;
    let busy = one("busy_buffers_size", unset)?;
    let written = one("temp_file_write_size", unset)?;
    let temporary = one("max_temp_file_size", unset)?;
    let buffers = words("buffers");
    let has_buffers = buffers.is_some();
    let (number, each) = match buffers {
        None => (8, PAGE),
        Some(sizes) => match sizes[..] {
            [Some(number), Some(each)] => (number, each),
            _ => return None,
        },
    };
    let most = buffer.max(each);
    let effective_busy = if busy == unset { 2 * most } else { busy };
    let all_but_one = number.saturating_sub(1).saturating_mul(each);
    let at_least = |name: &str, size: u64| {
        format!(
            "`{family}_{name}` is {}, less than one buffer of {}",
            shown(size),
            shown(most)
        )
    };
    let mut remedy = None;
    let problem = if number < 2 {
        format!("nginx wants at least two `{family}_buffers`")
    } else if effective_busy < most {
        at_least("busy_buffers_size", busy)
    } else if effective_busy > all_but_one {
        // Eight buffers, as by default, leave room for twice the largest.
        remedy =
            (busy == unset && !has_buffers).then(|| format!("{family}_buffers 8 {};", shown(most)));
        format!(
            "`{family}_busy_buffers_size` is {}{}, more than all `{family}_buffers` but one, which are {}",
            shown(effective_busy),
            if busy == unset { " by default" } else { "" },
            shown(all_but_one)
        )
    } else if written < most {
        at_least("temp_file_write_size", written)
    } else if temporary < most && temporary != 0 {
        at_least("max_temp_file_size", temporary)
    } else {
        return None;
    };
    directives.sort_by_key(|directive| (directive.ancestors().count(), directive.id));
    Some(BufferClash {
        directives,
        problem,
        remedy,
        visibility,
    })
}

/// A size as it would be written.
fn shown(bytes: u64) -> String {
    match bytes {
        0 => "0".to_owned(),
        bytes if bytes % (1 << 20) == 0 => format!("{}m", bytes >> 20),
        bytes if bytes % (1 << 10) == 0 => format!("{}k", bytes >> 10),
        bytes => bytes.to_string(),
    }
}

impl Proxied<'_> {
    /// True where nginx sees what the backend sends at once before more of it comes: in the chunks of HTTP/1.1, or in the
    /// records of a FastCGI connection that is kept (`ngx_event_pipe_read_upstream` looks at `p->length`).
    pub fn tells_pieces_apart(&self) -> bool {
        match &*self.family() {
            "proxy" => self.spoken() != "1.0",
            "fastcgi" => self.scope.flag("fastcgi_keep_conn") == Some(true),
            _ => false,
        }
    }

    /// How much is visible of what decides that.
    pub fn pieces_visibility(&self) -> Visibility {
        let name = match &*self.family() {
            "proxy" => "proxy_http_version",
            _ => "fastcgi_keep_conn",
        };
        self.scope.effective(name).visibility
    }
}
