//! Calendar dates: when a pin retires, when an exception ends.

use std::fmt;

/// A day of the Gregorian calendar, written `2027-01-31` (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Reads `YYYY-MM-DD`; `None` for anything else, and for days that do not exist.
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let mut part = |length| {
            let part = parts.next().filter(|it| it.len() == length)?;
            part.bytes().all(|it| it.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let days = days_of(year, month)?;
        let fits = parts.next().is_none() && (1..=days).contains(&day);
        fits.then_some(Date {
            year,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    }

    /// The day that begins this many days after 1970-01-01 UTC; `None` behind the year 9999.
    pub fn of_unix_day(mut day: u64) -> Option<Date> {
        for year in 1970..=9999 {
            for month in 1..=12 {
                let days = u64::from(days_of(year, month)?);
                if day < days {
                    let day = u8::try_from(day + 1).ok()?;
                    return Some(Date { year, month: u8::try_from(month).ok()?, day });
                }
                day -= days;
            }
        }
        None
    }

    /// The seconds of a day.
    pub const SECONDS: i64 = 24 * 60 * 60;

    /// The day of a second since 1970-01-01 UTC; `None`: before that, and behind the year 9999.
    pub fn of_second(second: i64) -> Option<Date> {
        Date::of_unix_day(u64::try_from(second.div_euclid(Date::SECONDS)).ok()?)
    }

    /// Its first second, since 1970-01-01 UTC.
    pub fn first_second(self) -> i64 {
        self.unix_day() * Date::SECONDS
    }

    /// How many days it is from this day to the other one; negative: that one was before.
    pub fn days_to(self, other: Date) -> i64 {
        other.unix_day() - self.unix_day()
    }

    /// The days from 1970-01-01 UTC to its beginning.
    pub fn unix_day(self) -> i64 {
        // A year begins in March here, so that the day that some have more is its last one.
        let (month, before_march) = (i64::from(self.month), i64::from(self.month < 3));
        let year = i64::from(self.year) - before_march;
        let month = (month + 9) % 12;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        365 * year + leap_days + (153 * month + 2) / 5 + i64::from(self.day) - 719_469
    }
}

/// How many days a month has; `None`: there is no such month.
fn days_of(year: u16, month: u16) -> Option<u16> {
    let divides = |by| year.is_multiple_of(by);
    let leap = divides(4) && (!divides(100) || divides(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(28 + u16::from(leap)),
        _ => None,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn only_days_that_exist_are_dates() {
        for text in ["2027-01-31", "2028-02-29", "2000-02-29", "9999-12-31"] {
            assert_eq!(Date::parse(text).map(|it| it.to_string()).as_deref(), Some(text));
        }
        for text in [
            "2027-02-29",
            "1900-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-1-31",
            "2027-01-31x",
            "2027-01-31-1",
            "31.1.2027",
            "",
            "20270131",
            "+027-01-31",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    /// Compared with `date -u -d @SECONDS +%F`.
    #[test]
    fn days_are_counted_from_1970() {
        for (day, want) in [
            (0, Some("1970-01-01")),
            (58, Some("1970-02-28")),
            (11_016, Some("2000-02-29")),
            (20_781, Some("2026-11-24")),
            (21_243, Some("2028-02-29")),
            (2_932_896, Some("9999-12-31")),
            (2_932_897, None),
            (u64::MAX, None),
        ] {
            let date = Date::of_unix_day(day);
            assert_eq!(date.map(|it| it.to_string()).as_deref(), want);
            assert!(date.is_none_or(|it| Ok(it.unix_day()) == i64::try_from(day)), "{day}");
        }
    }

    #[test]
    fn days_between_dates_are_counted() {
        let days =
            [0, 1, 58, 59, 60, 364, 365, 789, 790, 11_015, 11_016, 11_017, 47_540, 2_932_896];
        for from in days {
            for to in days {
                let [first, second] =
                    [from, to].map(|it| Date::of_unix_day(it).expect("it is a day"));
                assert_eq!(first.days_to(second), to.cast_signed() - from.cast_signed());
            }
        }
    }
}
