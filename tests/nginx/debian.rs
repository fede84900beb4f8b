//! The configuration that the distribution installs, as it is.

use std::path::PathBuf;

use nginspect::config::Finder;
use nginspect::diagnostic::Severity;
use nginspect::lint::lint;

use crate::harness::{is_required, say};

#[test]
fn the_installed_configuration_earns_no_error_and_no_warning() {
    // On a machine in use it may have been edited, so only a machine made for the test is asked.
    if !is_required() {
        say(
            "skipped: the configuration in /etc/nginx, which may be edited (set NGINSPECT_REQUIRE_NGINX to judge it)",
        );
        return;
    }
    let paths = [
        "/etc/nginx",
        "/etc/nginx/nginx.conf",
        "/etc/nginx/sites-available/default",
    ];
    for path in paths.map(PathBuf::from) {
        let (jobs, lost) = Finder::default().find(std::slice::from_ref(&path));
        assert!(lost.is_empty() && !jobs.is_empty(), "{lost:?}");
        for job in jobs {
            assert_eq!(job.config.unreadable(), []);
            let found = lint(&job.config, &job.scope);
            let grave: Vec<_> = found
                .iter()
                .filter(|found| found.severity > Severity::Note)
                .collect();
            assert!(grave.is_empty(), "{}: {grave:?}", path.display());
            assert!(
                job.config.locations().count() > 0,
                "{} was read",
                path.display()
            );
        }
    }
}
