//! Times for people.

/// A time as nginx would take it, in the largest unit that it is a multiple of.
pub fn duration(milliseconds: u64) -> String {
    let units = [
        (24 * 3600 * 1000, "d"),
        (3600 * 1000, "h"),
        (60 * 1000, "m"),
        (1000, "s"),
    ];
    let fits = |(length, unit): &&(u64, &str)| {
        // Sixty seconds are told as nginx's documentation does.
        let is_long = milliseconds > *length || milliseconds == *length && *unit != "m";
        milliseconds.is_multiple_of(*length) && (is_long || *unit == "s")
    };
    let fitting = units.iter().find(fits);
    match fitting {
        Some((length, unit)) => format!("{}{unit}", milliseconds / length),
        None => format!("{milliseconds}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let told: Vec<String> = [0, 500, 1000, 60_000, 90_000, 3_600_000, 604_800_000]
            .into_iter()
            .map(duration)
            .collect();
        assert_eq!(told, ["0s", "500ms", "1s", "60s", "90s", "1h", "7d"]);
    }
}
