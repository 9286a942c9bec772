//! Points in time and durations as people read them: "3 min ago", with the exact moment beside it.

use askama::Template;
use askama::filters::HtmlSafe;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::model::time::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A point in time; prints its whole `<time>` element.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_time.html")]
pub struct Moment {
    /// RFC 3339, to the second.
    machine: String,
    /// The exact moment in words.
    exact: String,
    /// How long ago.
    relative: String,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for Moment {}

impl Moment {
    /// As seen from now.
    pub fn of(at: Timestamp) -> Self {
        Self::seen_from(at, Timestamp::now())
    }

    /// One that is still to come: "in 7 days".
    pub fn until(at: Timestamp) -> Self {
        let now = Timestamp::now();
        Self {
            relative: ahead(at.millis_since(now)),
            ..Self::seen_from(at, now)
        }
    }

    /// As seen from another moment.
    pub fn seen_from(at: Timestamp, now: Timestamp) -> Self {
        let machine = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        let exact = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]:[second] UTC");
        let date = OffsetDateTime::from_unix_timestamp(at.as_millis().div_euclid(SECOND))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self {
            machine: date.format(machine).unwrap_or_default(),
            exact: date.format(exact).unwrap_or_default(),
            relative: relative(now.millis_since(at)),
        }
    }
}

fn relative(age: i64) -> String {
    match age {
        ..MINUTE => "just now".to_owned(),
        MINUTE..HOUR => format!("{} min ago", age / MINUTE),
        HOUR..DAY => format!("{} h ago", age / HOUR),
        _ if age < 2 * DAY => "yesterday".to_owned(),
        _ => format!("{} days ago", age / DAY),
    }
}

/// Rounded to the nearest unit, so that what was just given seven days has seven.
fn ahead(left: i64) -> String {
    let hours = (left + HOUR / 2) / HOUR;
    match hours {
        0 => "within the hour".to_owned(),
        1..48 => format!("in {hours} h"),
        _ => format!("in {} days", (hours + 12) / 24),
    }
}

/// A duration in words: "12 ms", "0.8 s", "41 s", "3 min 20 s", "1 h 2 min".
pub fn duration(millis: i64) -> String {
    const MILLIS_BELOW: i64 = 100;
    const TENTHS_BELOW: i64 = 10 * SECOND;
    const SECONDS_BELOW: i64 = 100 * SECOND;
    let seconds = millis / SECOND;
    match millis {
        ..MILLIS_BELOW => format!("{millis} ms"),
        MILLIS_BELOW..TENTHS_BELOW => format!("{}.{} s", seconds, millis % SECOND / 100),
        TENTHS_BELOW..SECONDS_BELOW => format!("{seconds} s"),
        SECONDS_BELOW..HOUR => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_largest_unit() {
        let cases = [
            (0, "just now"),
            (59_999, "just now"),
            (60_000, "1 min ago"),
            (59 * MINUTE, "59 min ago"),
            (HOUR, "1 h ago"),
            (DAY - 1, "23 h ago"),
            (DAY, "yesterday"),
            (2 * DAY, "2 days ago"),
            (400 * DAY, "400 days ago"),
        ];
        for (age, words) in cases {
            assert_eq!(relative(age), words);
        }
    }

    #[test]
    fn what_is_still_to_come_is_told_in_the_nearest_unit() {
        let cases = [
            (0, "within the hour"),
            (HOUR - 1, "in 1 h"),
            (DAY - 1, "in 24 h"),
            (2 * DAY - 1, "in 2 days"),
            (7 * DAY - 1, "in 7 days"),
        ];
        for (left, words) in cases {
            assert_eq!(ahead(left), words);
        }
    }

    #[test]
    fn the_element_holds_the_exact_moment() {
        let at = Timestamp::from_millis(1_795_686_067_400);
        let moment = Moment::seen_from(at, at.plus_seconds(180));
        assert_eq!(
            moment.to_string(),
            r#"<time datetime="2026-11-26T09:41:07Z" title="26 Nov 2026, 09:41:07 UTC">3 min ago</time>"#
        );
        let before_its_time = Moment::seen_from(at.plus_seconds(5), at);
        assert_eq!(before_its_time.relative, "just now");
    }

    #[test]
    fn durations_are_as_exact_as_their_size_asks() {
        let cases = [
            (0, "0 ms"),
            (99, "99 ms"),
            (849, "0.8 s"),
            (9_999, "9.9 s"),
            (10_000, "10 s"),
            (99_999, "99 s"),
            (200_000, "3 min 20 s"),
            (3_720_000, "1 h 2 min"),
        ];
        for (millis, words) in cases {
            assert_eq!(duration(millis), words);
        }
    }
}
