package js

import (
	"strconv"
	"strings"
	"time"
)

// tokens are the format tokens of moment.js 2.30, https://momentjs.com/docs/#/displaying/format/, with its English
// locale: weeks begin on Sunday, and the first of a year has January 1st.
var tokens = map[string]func(time.Time) string{
	"M": unpadded(month), "Mo": ordinal(month), "MM": padded(month, 2),
	"MMM":  func(t time.Time) string { return t.Month().String()[:3] },
	"MMMM": func(t time.Time) string { return t.Month().String() },
	"Q":    unpadded(quarter), "Qo": ordinal(quarter),
	"D": unpadded(time.Time.Day), "Do": ordinal(time.Time.Day), "DD": padded(time.Time.Day, 2),
	"DDD": unpadded(time.Time.YearDay), "DDDo": ordinal(time.Time.YearDay), "DDDD": padded(time.Time.YearDay, 3),
	"d": unpadded(weekday), "do": ordinal(weekday), "e": unpadded(weekday), "E": unpadded(isoWeekday),
	"dd":   func(t time.Time) string { return t.Weekday().String()[:2] },
	"ddd":  func(t time.Time) string { return t.Weekday().String()[:3] },
	"dddd": func(t time.Time) string { return t.Weekday().String() },
	"w":    unpadded(week), "wo": ordinal(week), "ww": padded(week, 2),
	"W": unpadded(isoWeek), "Wo": ordinal(isoWeek), "WW": padded(isoWeek, 2),
	"gg": padded(twoDigits(weekYear), 2), "gggg": padded(weekYear, 4), "ggggg": padded(weekYear, 5),
	"GG": padded(twoDigits(isoYear), 2), "GGGG": padded(isoYear, 4), "GGGGG": padded(isoYear, 5),

	"Y":  func(t time.Time) string { return plus(t.Year() > 9999) + pad(t.Year(), 4) },
	"YY": padded(twoDigits(time.Time.Year), 2), "YYYY": padded(time.Time.Year, 4), "YYYYY": padded(time.Time.Year, 5),
	"YYYYYY": func(t time.Time) string { return plus(t.Year() >= 0) + pad(t.Year(), 6) },
	"N":      era("AD", "BC"), "NN": era("AD", "BC"), "NNN": era("AD", "BC"), "NNNN": era("Anno Domini", "Before Christ"),
	"NNNNN": era("AD", "BC"),
	"y":     unpadded(eraYear), "yo": ordinal(eraYear), "yy": padded(eraYear, 2), "yyy": padded(eraYear, 3), "yyyy": padded(eraYear, 4),

	"A": func(t time.Time) string { return strings.ToUpper(meridiem(t)) }, "a": meridiem,
	"H": unpadded(time.Time.Hour), "HH": padded(time.Time.Hour, 2),
	"h": unpadded(hour12), "hh": padded(hour12, 2), "k": unpadded(hour24), "kk": padded(hour24, 2),
	"m": unpadded(time.Time.Minute), "mm": padded(time.Time.Minute, 2),
	"s": unpadded(time.Time.Second), "ss": padded(time.Time.Second, 2),
	"hmm":   func(t time.Time) string { return strconv.Itoa(hour12(t)) + t.Format("04") },
	"hmmss": func(t time.Time) string { return strconv.Itoa(hour12(t)) + t.Format("0405") },
	"Hmm":   func(t time.Time) string { return strconv.Itoa(t.Hour()) + t.Format("04") },
	"Hmmss": func(t time.Time) string { return strconv.Itoa(t.Hour()) + t.Format("0405") },
	"S":     fraction(1), "SS": fraction(2), "SSS": fraction(3), "SSSS": fraction(4), "SSSSS": fraction(5),
	"SSSSSS": fraction(6), "SSSSSSS": fraction(7), "SSSSSSSS": fraction(8), "SSSSSSSSS": fraction(9),

	"X": func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
	"x": func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) },
	"z": abbreviation, "zz": abbreviation,
	"Z": offset(":"), "ZZ": offset(""),
}

// isoFormat is moment's default format; where the offset is zero, the letter Z stands for it.
var (
	isoFormat    = ParseDateFormat("YYYY-MM-DDTHH:mm:ssZ")
	isoFormatUTC = ParseDateFormat("YYYY-MM-DDTHH:mm:ss[Z]")
)

func unpadded(of func(time.Time) int) func(time.Time) string {
	return func(t time.Time) string { return strconv.Itoa(of(t)) }
}

func padded(of func(time.Time) int, width int) func(time.Time) string {
	return func(t time.Time) string { return pad(of(t), width) }
}

// pad writes a number with zeros before it up to a width; the sign does not count.
func pad(n, width int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	s := strconv.Itoa(n)
	return sign + strings.Repeat("0", max(0, width-len(s))) + s
}

// plus is the sign of a year, where it has one.
func plus(signed bool) string {
	if signed {
		return "+"
	}
	return ""
}

// ordinal writes 1st, 2nd, 3rd, 4th, 11th, …
func ordinal(of func(time.Time) int) func(time.Time) string {
	return func(t time.Time) string {
		n := of(t)
		suffix := "th"
		if n/10%10 != 1 {
			switch n % 10 {
			case 1:
				suffix = "st"
			case 2:
				suffix = "nd"
			case 3:
				suffix = "rd"
			}
		}
		return strconv.Itoa(n) + suffix
	}
}

func month(t time.Time) int   { return int(t.Month()) }
func quarter(t time.Time) int { return (int(t.Month()) + 2) / 3 }
func weekday(t time.Time) int { return int(t.Weekday()) }

func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func isoYear(t time.Time) int { year, _ := t.ISOWeek(); return year }
func isoWeek(t time.Time) int { _, week := t.ISOWeek(); return week }

// saturday is the last day of t's week; the week belongs to its year.
func saturday(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+6-int(t.Weekday()), 0, 0, 0, 0, time.UTC)
}

func week(t time.Time) int     { return (saturday(t).YearDay()-1)/7 + 1 }
func weekYear(t time.Time) int { return saturday(t).Year() }

// twoDigits takes the last two digits of a year.
func twoDigits(of func(time.Time) int) func(time.Time) int {
	return func(t time.Time) int { return of(t) % 100 }
}

func era(ad, bc string) func(time.Time) string {
	return func(t time.Time) string {
		if t.Year() < 1 {
			return bc
		}
		return ad
	}
}

func eraYear(t time.Time) int {
	if t.Year() < 1 {
		return 1 - t.Year()
	}
	return t.Year()
}

func meridiem(t time.Time) string {
	if t.Hour() < 12 {
		return "am"
	}
	return "pm"
}

func hour12(t time.Time) int { return (t.Hour()+11)%12 + 1 }
func hour24(t time.Time) int { return (t.Hour()+23)%24 + 1 }

// fraction writes the first digits of the second's fraction. moment knows milliseconds, so that the fourth and later are 0.
func fraction(digits int) func(time.Time) string {
	return func(t time.Time) string {
		return (pad(t.Nanosecond()/int(time.Millisecond), 3) + "000000")[:digits]
	}
}

func abbreviation(t time.Time) string {
	name, _ := t.Zone()
	return name
}

func offset(separator string) func(time.Time) string {
	return func(t time.Time) string {
		_, seconds := t.Zone()
		sign, minutes := "+", seconds/60
		if seconds < 0 {
			sign, minutes = "-", -minutes
		}
		return sign + pad(minutes/60, 2) + separator + pad(minutes%60, 2)
	}
}
