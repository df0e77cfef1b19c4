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

    /// The days from 1970-01-01 UTC to its beginning.
    pub fn unix_day(self) -> i64 {
        let (mut year, month) = (i64::from(self.year), i64::from(self.month));
        // Years that begin in March end with the day that not each of them has.
        if month <= 2 {
            year -= 1;
        }
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        year * 365 + leap_days + day_of_year - 719_468
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
}
