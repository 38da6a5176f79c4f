package mail

import "time"

// monthNamed knows the months' names and abbreviations, in lower case, of English, German, French, Spanish, Italian,
// Portuguese, Dutch, Swedish, Danish, Norwegian, Polish and Russian. The commonest come first.
func monthNamed(w string) time.Month {
	switch w {
	case "jan", "january", "januar", "jänner", "jän", "janvier", "janv", "enero", "ene", "gennaio", "gen", "janeiro",
		"januari", "sty", "styczeń", "stycznia", "янв", "январь", "января":
		return time.January
	case "feb", "february", "februar", "février", "févr", "fév", "fevrier", "fevr", "fev", "febrero", "febbraio",
		"fevereiro", "februari", "lut", "luty", "lutego", "фев", "февр", "февраль", "февраля":
		return time.February
	case "mar", "march", "märz", "mär", "mrz", "maerz", "mars", "marzo", "março", "marco", "maart", "mrt", "marts",
		"marzec", "marca", "мар", "март", "марта":
		return time.March
	case "apr", "april", "avril", "avr", "abril", "abr", "aprile", "kwi", "kwiecień", "kwietnia", "апр", "апрель",
		"апреля":
		return time.April
	case "may", "mai", "mayo", "maggio", "mag", "maio", "mei", "maj", "maja", "май", "мая":
		return time.May
	case "jun", "june", "juni", "juin", "junio", "giugno", "giu", "junho", "cze", "czerwiec", "czerwca", "июн", "июнь",
		"июня":
		return time.June
	case "jul", "july", "juli", "juillet", "juil", "julio", "luglio", "lug", "julho", "lip", "lipiec", "lipca", "июл",
		"июль", "июля":
		return time.July
	case "aug", "august", "août", "aout", "aoû", "agosto", "ago", "augustus", "augusti", "sie", "sierpień", "sierpnia",
		"авг", "август", "августа":
		return time.August
	}
	return autumnMonth(w)
}

func autumnMonth(w string) time.Month {
	switch w {
	case "sep", "sept", "september", "septembre", "septiembre", "settembre", "set", "setembro", "wrz", "wrzesień",
		"września", "сен", "сент", "сентябрь", "сентября":
		return time.September
	case "oct", "october", "okt", "oktober", "octobre", "octubre", "ottobre", "ott", "outubro", "out", "paź", "paz",
		"październik", "października", "окт", "октябрь", "октября":
		return time.October
	case "nov", "november", "novembre", "noviembre", "novembro", "lis", "listopad", "listopada", "ноя", "нояб",
		"ноябрь", "ноября":
		return time.November
	case "dec", "december", "dez", "dezember", "décembre", "déc", "decembre", "diciembre", "dic", "dicembre",
		"dezembro", "des", "desember", "gru", "grudzień", "grudnia", "дек", "декабрь", "декабря":
		return time.December
	}
	return 0
}

// zoneNamed is the offset in seconds of a zone's name in lower case. RFC 5322 section 4.3 fixes the American ones;
// the others are what mail programs wrote. A name with two meanings has the commoner one in mail.
func zoneNamed(w string) (int, bool) {
	const h = 3600
	switch w {
	case "gmt", "ut", "utc", "wet", "ucz", "zulu", "westeuropäische":
		return 0, true
	case "est", "cdt":
		return -5 * h, true
	case "edt", "ast", "clt":
		return -4 * h, true
	case "cst", "mdt":
		return -6 * h, true
	case "mst", "pdt":
		return -7 * h, true
	case "pst", "akdt":
		return -8 * h, true
	case "akst":
		return -9 * h, true
	case "hst":
		return -10 * h, true
	case "nst":
		return -3*h - h/2, true
	case "ndt":
		return -2*h - h/2, true
	case "adt", "brt", "art", "clst":
		return -3 * h, true
	case "brst":
		return -2 * h, true
	}
	return easternZone(w)
}

func easternZone(w string) (int, bool) {
	const h = 3600
	switch w {
	case "cet", "met", "mez", "mewt", "swt", "bst", "west", "wat":
		return 1 * h, true
	case "cest", "mest", "mesz", "msz", "sst", "eet", "sast", "cat":
		return 2 * h, true
	case "eest", "idt", "msk", "eat", "trt":
		return 3 * h, true
	case "msd", "gst":
		return 4 * h, true
	case "pkt", "yekt":
		return 5 * h, true
	case "ist":
		return 5*h + h/2, true
	case "wib", "ict", "novt":
		return 7 * h, true
	case "hkt", "sgt", "awst", "pht", "myt", "wita":
		return 8 * h, true
	case "jst", "kst", "wit":
		return 9 * h, true
	case "acst":
		return 9*h + h/2, true
	case "acdt":
		return 10*h + h/2, true
	case "aest":
		return 10 * h, true
	case "aedt":
		return 11 * h, true
	case "nzst":
		return 12 * h, true
	case "nzdt":
		return 13 * h, true
	}
	return 0, false
}
