package build

import (
	"strings"
	"unicode"
)

// Ukrainian writes a romanised settlement name in Ukrainian letters, as well as can be said
// without knowing the place: names come in three spellings (BGN/PCGN 1965, the national
// table of 2010, and Russian forms), which cannot always be told apart. russian says that
// the name is likely a Russian form, as GeoNames has in Crimea. What comes out is always to
// be marked approximate.
func Ukrainian(name string, russian bool) string {
	words := strings.FieldsFunc(name, func(c rune) bool { return c == ' ' })
	for i, w := range words {
		parts := strings.Split(w, "-")
		for k, p := range parts {
			parts[k] = ukrainianWord(p, russian)
		}
		words[i] = strings.Join(parts, "-")
	}
	return strings.Join(words, " ")
}

// signs are what stands for a soft sign or an apostrophe in romanised names.
var signs = strings.NewReplacer("’", "'", "`", "'", "”", "\"", "ʹ", "'", "ł", "l", "Ł", "L")

func ukrainianWord(word string, russian bool) string {
	if strings.ContainsFunc(word, func(c rune) bool { return unicode.Is(unicode.Cyrillic, c) }) {
		return word
	}
	w := strings.ToLower(signs.Replace(word))
	if w == "" {
		return ""
	}
	var tail string
	if russian {
		w, tail = cutEnding(w, russianEndings)
	}
	if tail == "" {
		w, tail = cutEnding(w, endings)
	}
	s := speller{text: w, russian: russian, open: tail != ""}
	out := []rune(s.spell() + tail)
	if len(out) > 0 && unicode.IsUpper([]rune(word)[0]) {
		out[0] = unicode.ToUpper(out[0])
	}
	return string(out)
}

type spelling struct{ latin, cyrillic string }

// russianEndings turn the endings of Russian forms into those that Ukrainian has for them.
var russianEndings = []spelling{
	{"deyskoye", "дійське"}, {"'skoye", "ське"}, {"skoye", "ське"}, {"skoe", "ське"},
	{"'noye", "ьне"}, {"noye", "не"}, {"noe", "не"}, {"oye", "е"}, {"oe", "е"}, {"'ye", "ля"},
	{"skiy", "ський"}, {"skaya", "ська"}, {"aya", "а"}, {"iy", "ий"}, {"yy", "ий"}, {"yi", "ий"},
	{"yovka", "івка"}, {"ovka", "івка"}, {"yevka", "ївка"}, {"evka", "івка"}, {"neye", "нє"},
	{"yovo", "йове"}, {"ovo", "ове"}, {"yevo", "єве"}, {"evo", "еве"}, {"ino", "ине"},
}

// endings are where the softness of a consonant is not written, and where adjectives end.
var endings = []spelling{
	{"tskyi", "цький"}, {"zkyi", "зький"}, {"skyi", "ський"}, {"'s'kyy", "ьський"}, {"'kyy", "ький"}, {"skyy", "ський"},
	{"nyi", "ний"}, {"yyi", "ий"}, {"yi", "ий"}, {"yy", "ий"}, {"iy", "ій"},
	{"tske", "цьке"}, {"ske", "ське"}, {"ska", "ська"}, {"zke", "зьке"}, {"tsk", "цьк"}, {"zk", "зьк"}, {"sk", "ськ"},
	{"ets", "ець"}, {"pil", "піль"}, {"pol", "поль"}, {"tsia", "ця"}, {"tsya", "ця"},
}

// cutEnding splits a known ending off; a word that is all ending is left whole.
func cutEnding(w string, known []spelling) (rest, tail string) {
	for _, e := range known {
		if rest, ok := strings.CutSuffix(w, e.latin); ok && len(rest) > 1 && strings.ContainsAny(rest, "aeiouy") {
			return rest, e.cyrillic
		}
	}
	return w, ""
}

// letters are tried in order: the longer first.
var letters = []spelling{
	{"shch", "щ"}, {"zgh", "зг"}, {"zh", "ж"}, {"kh", "х"}, {"ts", "ц"}, {"ch", "ч"}, {"sh", "ш"},
	{"a", "а"}, {"b", "б"}, {"c", "ц"}, {"d", "д"}, {"e", "е"}, {"f", "ф"}, {"g", "г"}, {"h", "г"},
	{"j", "й"}, {"k", "к"}, {"l", "л"}, {"m", "м"}, {"n", "н"}, {"o", "о"}, {"p", "п"}, {"q", "к"},
	{"r", "р"}, {"s", "с"}, {"t", "т"}, {"u", "у"}, {"v", "в"}, {"w", "в"}, {"x", "кс"}, {"z", "з"},
}

// soft are the vowels that begin with a y.
var soft = map[byte]string{'a': "я", 'u': "ю", 'e': "є", 'i': "ї"}

// speller goes through a word in lower-case Latin letters.
type speller struct {
	text    string
	at      int
	out     strings.Builder
	russian bool
	open    bool // an ending follows
}

func (s *speller) spell() string {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case '\'', '"':
			s.sign(c)
		case 'y':
			s.y()
		case 'i':
			s.i()
		default:
			s.letter()
		}
	}
	return s.out.String()
}

func (s *speller) before() byte {
	if s.at == 0 {
		return 0
	}
	return s.text[s.at-1]
}

func (s *speller) after(n int) byte {
	if s.at+n >= len(s.text) {
		return 0
	}
	return s.text[s.at+n]
}

func vowel(c byte) bool { return c != 0 && strings.IndexByte("aeiouy", c) >= 0 }

func (s *speller) add(n int, cyrillic string) {
	s.at += n
	s.out.WriteString(cyrillic)
}

func (s *speller) letter() {
	for _, l := range letters {
		if strings.HasPrefix(s.text[s.at:], l.latin) {
			s.add(len(l.latin), l.cyrillic)
			return
		}
	}
	s.add(1, s.text[s.at:s.at+1])
}

// sign: a soft sign, or an apostrophe between a lip sound or r and a soft vowel.
func (s *speller) sign(c byte) {
	followed := s.after(1) == 'y' && soft[s.after(2)] != ""
	switch {
	case c == '"' || followed && strings.IndexByte("bpvmfrkh", s.before()) >= 0:
		s.add(1, "’")
	case followed && s.at >= 2 && s.text[s.at-1] == s.text[s.at-2]:
		s.add(1, "") // a doubled consonant is soft by itself
	case s.russian && followed:
		s.add(1, "")
	default:
		s.add(1, "ь")
	}
}

// y: part of a soft vowel, a short i after a vowel, or a vowel of its own.
func (s *speller) y() {
	last := s.before()
	next := s.after(1)
	switch {
	case next == 'i' && s.after(2) != 0 && strings.IndexByte("aue", s.after(2)) >= 0 && last != 0 && !vowel(last):
		s.add(3, "и"+soft[s.after(2)])
	case next == 'i' && last != 0 && !vowel(last) && last != '\'' && last != '"':
		if s.russian {
			s.add(2, "ьї")
		} else {
			s.add(2, "иї")
		}
	case soft[next] != "" && !(s.russian && next == 'e' && last != 0 && !vowel(last)):
		s.add(2, soft[next])
	case next == 'o' && last != 0 && !vowel(last):
		s.add(2, "ьо")
	case vowel(last) || next == 'o':
		s.add(1, "й")
	default:
		s.add(1, "и")
	}
}

// i: part of a soft vowel in the national table, ї after a vowel, й in a Russian form.
func (s *speller) i() {
	last, next := s.before(), s.after(1)
	switch {
	case last != 0 && !vowel(last) && next == 'a':
		s.add(2, "я")
	case last != 0 && !vowel(last) && next == 'u':
		s.add(2, "ю")
	case last != 0 && !vowel(last) && next == 'e':
		s.add(2, "є")
	case last != 0 && !vowel(last) && next == 'o':
		s.add(2, "ьо")
	case vowel(last):
		s.add(1, "ї")
	case s.russian && last != 0 && next != 'y':
		s.add(1, "и")
	default:
		s.add(1, "і")
	}
}
