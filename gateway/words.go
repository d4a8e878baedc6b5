package gateway

// phrases are the few words of the page without script.
type phrases struct {
	shelter, prepare, allClear, cancelled, expired string
	until, nothing, exercise, noPicture            string
}

// wordsOf are the languages the page without script speaks.
var wordsOf = map[string]phrases{
	"en": {
		shelter: "Go to shelter now. Stay there until told.", prepare: "Be ready. Stay near shelter.",
		allClear: "All clear. You may come out.", cancelled: "Cancelled. The warning was a mistake.", expired: "No news. Not known to be safe.",
		until: "until", nothing: "No zone is warned now.", exercise: "EXERCISE", noPicture: "No sensor is working. Quiet here does not mean safe.",
	},
	"uk": {
		shelter: "Негайно в укриття. Залишайтеся там до відбою.", prepare: "Будьте готові. Тримайтеся поблизу укриття.",
		allClear: "Відбій. Можна виходити.", cancelled: "Скасовано. Попередження було помилковим.", expired: "Немає новин. Безпека не підтверджена.",
		until: "до", nothing: "Зараз попереджень немає.", exercise: "НАВЧАННЯ", noPicture: "Жоден сенсор не працює. Тиша не означає безпеку.",
	},
	"he": {
		shelter: "היכנסו למרחב המוגן מיד. הישארו בו עד להודעה.", prepare: "היו מוכנים. הישארו בקרבת מרחב מוגן.",
		allClear: "האירוע הסתיים. ניתן לצאת.", cancelled: "בוטל. ההתרעה ניתנה בטעות.", expired: "אין עדכון. לא ידוע שבטוח.",
		until: "עד", nothing: "אין כעת התרעות.", exercise: "תרגיל", noPicture: "אין חיישן פעיל. שקט אינו אומר בטוח.",
	},
	"ar": {
		shelter: "ادخلوا الملجأ فورا وابقوا فيه حتى إشعار آخر.", prepare: "كونوا مستعدين وابقوا قرب الملجأ.",
		allClear: "انتهى الخطر. يمكنكم الخروج.", cancelled: "ألغي. كان الإنذار خطأ.", expired: "لا أخبار. السلامة غير مؤكدة.",
		until: "حتى", nothing: "لا إنذارات الآن.", exercise: "تمرين", noPicture: "لا يعمل أي مستشعر. الهدوء لا يعني الأمان.",
	},
	"ru": {
		shelter: "Немедленно в укрытие. Оставайтесь там до отбоя.", prepare: "Будьте готовы. Держитесь рядом с укрытием.",
		allClear: "Отбой. Можно выходить.", cancelled: "Отменено. Предупреждение было ошибочным.", expired: "Нет новостей. Безопасность не подтверждена.",
		until: "до", nothing: "Сейчас предупреждений нет.", exercise: "УЧЕНИЯ", noPicture: "Ни один датчик не работает. Тишина не означает безопасность.",
	},
}

// wordsIn is the first of the languages that the page speaks, English if none.
func wordsIn(languages []string) (phrases, string) {
	for _, lang := range languages {
		if w, ok := wordsOf[lang]; ok {
			return w, lang
		}
	}
	return wordsOf["en"], "en"
}

// of is the phrase of a stage or an end.
func (p phrases) of(key string) string {
	switch key {
	case "shelter":
		return p.shelter
	case "prepare":
		return p.prepare
	case "all-clear":
		return p.allClear
	case "cancelled":
		return p.cancelled
	default:
		return p.expired
	}
}

func direction(lang string) string {
	if lang == "he" || lang == "ar" {
		return "rtl"
	}
	return "ltr"
}
