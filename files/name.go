package files

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxName is how many bytes the name of a file may have on every common
	// file system.
	maxName = 255
	// maxExtension is how many of them count as an extension, dot included.
	maxExtension = 32
	// unnamed is the name of a file that has none.
	unnamed = "file"
)

// Name makes a file's name safe to keep, to show, and to offer for a download:
// the last element of a path of either kind of slash, in Unicode's NFC,
// without characters that control, reorder or do not show, with _ for those that
// Windows or a shell takes for something else, without dots and spaces at its
// ends, of at most 255 bytes with the extension kept, and no device of Windows
// (CON becomes _CON). It is "file" when nothing is left.
func Name(name string) string {
	name = strings.Map(visible, strings.ToValidUTF8(name, "\uFFFD"))
	name = strings.TrimRight(norm.NFC.String(name), `/\`)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(harmless, name)
	name = shorten(strings.TrimFunc(name, isDotOrSpace))
	if isDevice(name) {
		name = shorten("_" + name)
	}
	return cmp.Or(name, unnamed)
}

// visible drops what a reader would not see: controls, marks of direction,
// zero-width characters, separators of lines.
func visible(char rune) rune {
	if unicode.In(char, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point,
		unicode.Variation_Selector, unicode.Noncharacter_Code_Point) {
		return -1
	}
	return char
}

func harmless(char rune) rune {
	if strings.ContainsRune(`:*?<>|`, char) {
		return '_'
	}
	return char
}

func isDotOrSpace(char rune) bool { return char == '.' || unicode.IsSpace(char) }

// shorten cuts a name before its extension.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	extension := name[strings.LastIndexByte(name, '.')+1:]
	if extension = "." + extension; len(extension) > maxExtension {
		extension = ""
	}
	stem := strings.TrimSuffix(name, extension)
	stem = strings.TrimRightFunc(stem[:boundary(stem, maxName-len(extension))], isDotOrSpace)
	return cmp.Or(stem, unnamed) + extension
}

// boundary is the last index up to most at which no character is cut, nor
// taken from the marks that combine with it.
func boundary(text string, most int) int {
	for ; most > 0; most-- {
		if char, _ := utf8.DecodeRuneInString(text[most:]); utf8.RuneStart(text[most]) && !unicode.IsMark(char) {
			break
		}
	}
	return most
}

// devices are the names that Windows keeps for itself, whatever their
// extension is.
var devices = []string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}

func isDevice(name string) bool {
	name = strings.ToUpper(name)
	if end := strings.IndexAny(name, ".:"); end >= 0 {
		name = name[:end]
	}
	name = strings.TrimRightFunc(name, unicode.IsSpace)
	if slices.Contains(devices, name) {
		return true
	}
	port := []rune(name)
	return len(port) == 4 && (strings.HasPrefix(name, "COM") || strings.HasPrefix(name, "LPT")) &&
		strings.ContainsRune("0123456789¹²³", port[3])
}

// Disposition is the Content-Disposition that offers a download under a name
// (RFC 6266): once in ASCII, and once as it is (RFC 8187), which all of today's
// browsers prefer.
func Disposition(name string) string {
	name = Name(name)
	return `attachment; filename="` + asciiName(name) + `"; filename*=UTF-8''` + extendedValue(name)
}

// asciiName leaves out accents, and puts _ for what is not in ASCII or would
// have to be escaped: browsers do not agree on how. Of accents alone _ is left.
func asciiName(name string) string {
	ascii := strings.Map(func(char rune) rune {
		switch {
		case unicode.IsMark(char):
			return -1
		case char > unicode.MaxASCII || strings.ContainsRune(`"\%`, char):
			return '_'
		}
		return char
	}, norm.NFD.String(name))
	if ascii == "" || ascii[0] == '.' {
		ascii = "_" + ascii
	}
	return ascii
}

// extendedValue escapes every byte but RFC 8187's attr-char.
func extendedValue(name string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~"
	const hex = "0123456789ABCDEF"
	var value strings.Builder
	for _, b := range []byte(name) {
		if strings.IndexByte(plain, b) >= 0 {
			value.WriteByte(b)
			continue
		}
		value.Write([]byte{'%', hex[b>>4], hex[b&15]})
	}
	return value.String()
}
