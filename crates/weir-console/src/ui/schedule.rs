//! When something repeats: fields for the usual ways, and the text of the interface for every other one. The console only puts
//! the text together; REST says whether it holds.

use maud::{Markup, html};

use super::form::{Errors, Field};
use crate::{cx::Cx, texts::schedule as t};

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const NTHS: [&str; 5] = ["first", "second", "third", "fourth", "last"];
/// Where an error of the whole goes.
pub(crate) const FIELD: &str = "s-repeat";
/// The same for refusals that speak of a schedule.
pub(crate) const NAMED: &str = "s-repeat=schedule";
/// Ways to repeat by the clock, and in words for all others. Screens have more of their own, such as `off`.
pub(crate) const BY_CLOCK: [&str; 6] = ["hours", "days", "weeks", "month_day", "month_weekday", "text"];

/// A schedule as it is filled in: words as they were typed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Schedule {
    repeat: String,
    every: String,
    weekdays: Vec<String>,
    day: String,
    nth: String,
    weekday: String,
    offset: String,
    at: String,
    from: String,
    zone: String,
    text: String,
}

impl Schedule {
    /// What a text of REST says, such as `every 7 days at 02:00`, `off`, `manual` or `after sync`. What the fields have no place
    /// for stays a text.
    pub(crate) fn read(text: &str) -> Self {
        let plain = Self { repeat: "text".to_owned(), text: text.trim().to_owned(), ..Self::fresh() };
        let without = |repeat: &str| Self { repeat: repeat.to_owned(), text: String::new(), ..Self::fresh() };
        match plain.text.as_str() {
            "" | "off" => without("off"),
            "manual" => without("manual"),
            "after sync" => without("after_sync"),
            text => Self::parse(text).unwrap_or(plain),
        }
    }

    fn fresh() -> Self {
        Self {
            every: "1".to_owned(),
            day: "1".to_owned(),
            nth: "second".to_owned(),
            weekday: "tuesday".to_owned(),
            offset: "0".to_owned(),
            at: "02:00".to_owned(),
            ..Self::default()
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, tail) = text.split_once(" at ")?;
        let mut read = Self { text: text.to_owned(), ..Self::fresh() };
        let mut tail = tail.split_whitespace();
        tail.next()?.clone_into(&mut read.at);
        let mut next = tail.next();
        if next == Some("from") {
            tail.next()?.clone_into(&mut read.from);
            next = tail.next();
        }
        next.unwrap_or_default().clone_into(&mut read.zone);
        let head = head.to_lowercase();
        let words: Vec<&str> = head.split_whitespace().collect();
        let (unit, every, rest) = match words.as_slice() {
            ["daily", rest @ ..] => ("day", "1", rest),
            ["weekly", rest @ ..] => ("week", "1", rest),
            ["monthly", rest @ ..] => ("month", "1", rest),
            ["every", number, unit, rest @ ..] if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                (unit.trim_end_matches('s'), *number, rest)
            }
            ["every", unit, rest @ ..] => (unit.trim_end_matches('s'), "1", rest),
            _ => return None,
        };
        every.clone_into(&mut read.every);
        match (unit, rest) {
            ("hour", []) => "hours".clone_into(&mut read.repeat),
            ("day", []) => "days".clone_into(&mut read.repeat),
            ("week", [days]) if days.split(',').all(|day| WEEKDAYS.contains(&day)) => {
                "weeks".clone_into(&mut read.repeat);
                read.weekdays = days.split(',').map(str::to_owned).collect();
            }
            ("month", [day]) if day.bytes().all(|byte| byte.is_ascii_digit()) => {
                "month_day".clone_into(&mut read.repeat);
                (*day).clone_into(&mut read.day);
            }
            ("month", [nth, weekday, offset @ ..])
                if NTHS.contains(nth) && WEEKDAYS.contains(weekday) && offset.len() < 2 =>
            {
                let offset = offset.first().map_or(Ok(0), |offset| offset.parse::<i64>()).ok()?;
                "month_weekday".clone_into(&mut read.repeat);
                (*nth).clone_into(&mut read.nth);
                (*weekday).clone_into(&mut read.weekday);
                read.offset = offset.to_string();
            }
            _ => return None,
        }
        tail.next().is_none().then_some(read)
    }

    /// What a form sent.
    pub(crate) fn sent(pairs: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let found = pairs.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let weekdays = pairs.iter().filter(|(name, _)| name == "s-weekdays").map(|(_, value)| value.clone());
        Self {
            repeat: value(FIELD),
            every: value("s-every"),
            weekdays: weekdays.collect(),
            day: value("s-day"),
            nth: value("s-nth"),
            weekday: value("s-weekday"),
            offset: value("s-offset"),
            at: value("s-at"),
            from: value("s-from"),
            zone: value("s-zone"),
            text: value("s-text"),
        }
    }

    /// The fields as a form sends them.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let plain = [
            (FIELD, &self.repeat),
            ("s-every", &self.every),
            ("s-day", &self.day),
            ("s-nth", &self.nth),
            ("s-weekday", &self.weekday),
            ("s-offset", &self.offset),
            ("s-at", &self.at),
            ("s-from", &self.from),
            ("s-zone", &self.zone),
            ("s-text", &self.text),
        ];
        let weekdays = self.weekdays.iter().map(|day| ("s-weekdays", day));
        plain.into_iter().chain(weekdays).map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    /// Whether it is in words, which say the zone and the first day themselves.
    pub(crate) fn in_words(&self) -> bool {
        self.repeat == "text"
    }

    /// The same with this zone, and without a first day: for screens that ask for these themselves.
    pub(crate) fn placed(self, zone: Option<String>) -> Self {
        Self { zone: zone.unwrap_or_default(), from: String::new(), ..self }
    }

    /// The text for REST, once the fields that it is made of are filled in as they can be.
    pub(crate) fn checked(&self, cx: &Cx) -> Result<String, Errors> {
        let wrong = |field: &str, message: &str| Err(Errors::default().field(field, message));
        let known = |word: &str, words: &[&str]| words.contains(&word);
        match self.repeat.as_str() {
            "text" if self.text.is_empty() => return wrong("s-text", t::error_text(cx)),
            "off" | "manual" | "after_sync" | "text" => return Ok(self.text()),
            "weeks" if self.weekdays.is_empty() => return wrong("s-weekdays", t::error_weekday(cx)),
            "weeks" if !self.weekdays.iter().all(|day| known(day, &WEEKDAYS)) => {
                return wrong("s-weekdays", t::error_choice(cx));
            }
            "month_day" if !self.day.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day)) => {
                return wrong("s-day", t::error_day(cx));
            }
            "month_weekday" if !known(&self.nth, &NTHS) => return wrong("s-nth", t::error_choice(cx)),
            "month_weekday" if !known(&self.weekday, &WEEKDAYS) => return wrong("s-weekday", t::error_choice(cx)),
            "month_weekday" if !self.offset.is_empty() && self.offset.parse::<i32>().is_err() => {
                return wrong("s-offset", t::error_number(cx));
            }
            repeat if !known(repeat, &BY_CLOCK) => return wrong(FIELD, t::error_choice(cx)),
            _ => {}
        }
        if !self.every.is_empty() && !self.every.parse::<u16>().is_ok_and(|every| every > 0) {
            return wrong("s-every", t::error_number(cx));
        }
        if self.at.is_empty() {
            return wrong("s-at", t::error_at(cx));
        }
        Ok(self.text())
    }

    /// The text for REST, of whatever was typed.
    pub(crate) fn text(&self) -> String {
        let every = if self.every.is_empty() { "1" } else { &self.every };
        let counted =
            |one: &str, unit: &str| if every == "1" { one.to_owned() } else { format!("every {every} {unit}") };
        let mut text = match self.repeat.as_str() {
            "off" | "manual" => return self.repeat.clone(),
            "after_sync" => return "after sync".to_owned(),
            "text" => return self.text.clone(),
            "hours" => format!("every {every} hours"),
            "days" => counted("daily", "days"),
            "weeks" => format!("{} {}", counted("weekly", "weeks"), self.weekdays.join(",")),
            "month_day" => format!("{} {}", counted("monthly", "months"), self.day),
            _ => {
                let offset = match self.offset.parse::<i64>() {
                    Ok(0) => String::new(),
                    Ok(days) => format!("{days:+}"),
                    Err(_) => self.offset.clone(),
                };
                format!("{} {} {} {offset}", counted("monthly", "months"), self.nth, self.weekday)
            }
        };
        text.truncate(text.trim_end().len());
        for (word, value) in [("at ", &self.at), ("from ", &self.from), ("", &self.zone)] {
            if !value.is_empty() {
                text.push_str(&format!(" {word}{value}"));
            }
        }
        text
    }

    /// The fields, as a part of a form with a heading of its own. `kinds` are the ways to repeat that are offered; `dated` says
    /// whether the zone and the first day are asked for here.
    pub(crate) fn fields(&self, cx: &Cx, errors: &Errors, kinds: &[&str], dated: bool) -> Markup {
        html! { fieldset { legend { (t::legend(cx)) } (self.inside(cx, errors, kinds, dated)) } }
    }

    /// The same without the heading, for a part that holds more.
    pub(crate) fn inside(&self, cx: &Cx, errors: &Errors, kinds: &[&str], dated: bool) -> Markup {
        let words = |values: &[&str], word: fn(&Cx, &str) -> String| -> Vec<(String, String)> {
            values.iter().map(|value| ((*value).to_owned(), word(cx, value))).collect()
        };
        let repeat = if kinds.contains(&self.repeat.as_str()) { self.repeat.as_str() } else { "weeks" };
        html! {
            div.schedule {
                (Field::new(FIELD, t::repeat(cx), errors).choice(&words(kinds, t::kinds), repeat))
                div.only.for-hours.for-days.for-weeks.for-month_day.for-month_weekday {
                    (Field::new("s-every", t::every(cx), errors).help(t::every_help(cx)).input("number", &self.every))
                }
                div.only.for-weeks {
                    div.field role="group" aria-labelledby="f-s-weekdays" {
                        span.label id="f-s-weekdays" { (t::weekdays(cx)) }
                        div.checks {
                            @for day in WEEKDAYS {
                                label.check {
                                    input type="checkbox" name="s-weekdays" value=(day) checked[self.weekdays.iter().any(|known| known == day)];
                                    (t::weekday_names(cx, day))
                                }
                            }
                        }
                    }
                }
                div.only.for-month_day { (Field::new("s-day", t::day(cx), errors).help(t::day_help(cx)).input("number", &self.day)) }
                div.only.pair.for-month_weekday {
                    (Field::new("s-nth", t::nth(cx), errors).choice(&words(&NTHS, t::nth_names), &self.nth))
                    (Field::new("s-weekday", t::weekday(cx), errors).choice(&words(&WEEKDAYS, t::weekday_names), &self.weekday))
                    (Field::new("s-offset", t::offset(cx), errors).help(t::offset_help(cx)).unit(t::offset_unit(cx)).input("number", &self.offset))
                }
                div.only.for-hours.for-days.for-weeks.for-month_day.for-month_weekday {
                    (Field::new("s-at", t::at(cx), errors).input("time", &self.at))
                    @if dated {
                        (Field::new("s-from", t::from(cx), errors).help(t::from_help(cx)).input("date", &self.from))
                        (Field::new("s-zone", t::zone(cx), errors).help(t::zone_help(cx)).input("text", &self.zone))
                    }
                }
                div.only.for-text { (Field::new("s-text", t::text(cx), errors).help(t::text_help(cx)).input("text", &self.text)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rest_says_comes_back_the_same() {
        for (text, again) in [
            ("off", "off"),
            ("every 6 hours at 00:00", "every 6 hours at 00:00"),
            ("every day at 02:00", "daily at 02:00"),
            ("Daily at 02:00 Europe/Amsterdam", "daily at 02:00 Europe/Amsterdam"),
            ("every 7 days at 02:00 from 2026-01-05", "every 7 days at 02:00 from 2026-01-05"),
            ("weekly monday,thursday at 22:30", "weekly monday,thursday at 22:30"),
            (
                "every 2 weeks friday at 22:30 from 2026-01-05 Europe/Amsterdam",
                "every 2 weeks friday at 22:30 from 2026-01-05 Europe/Amsterdam",
            ),
            ("monthly 31 at 02:00", "monthly 31 at 02:00"),
            (
                "monthly second tuesday +1 at 02:00 Europe/Amsterdam",
                "monthly second tuesday +1 at 02:00 Europe/Amsterdam",
            ),
            ("every 3 months last friday -2 at 02:00", "every 3 months last friday -2 at 02:00"),
            ("every full moon at 02:00", "every full moon at 02:00"),
            ("every week at 02:00", "every week at 02:00"),
            ("monthly last day at 02:00", "monthly last day at 02:00"),
            ("manual", "manual"),
            ("after sync", "after sync"),
            ("", "off"),
        ] {
            let read = Schedule::read(text);
            assert_eq!(read.text(), again, "{text}");
            assert_eq!(Schedule::sent(&read.pairs()), read, "{text}");
        }
        assert_eq!(Schedule::read("monthly second tuesday +1 at 02:00").repeat, "month_weekday");
        assert!(Schedule::read("every full moon at 02:00").in_words());
        let placed = Schedule::read("weekly friday at 22:00 from 2026-01-09 UTC").placed(None);
        assert_eq!(placed.text(), "weekly friday at 22:00");
    }

    #[test]
    fn what_is_typed_goes_to_rest_as_it_is() {
        let pairs =
            [("s-repeat", "weeks"), ("s-every", "x"), ("s-weekdays", "monday"), ("s-weekdays", "friday"), ("s-at", "")];
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(Schedule::sent(&pairs).text(), "every x weeks monday,friday");
    }
}
