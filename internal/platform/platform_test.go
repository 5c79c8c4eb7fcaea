package platform_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/platform"
)

func TestParseNormalisesAsContainerd(t *testing.T) {
	for text, want := range map[string]platform.Platform{
		"linux/amd64":      {OS: "linux", Architecture: "amd64"},
		"Linux/AMD64":      {OS: "linux", Architecture: "amd64"},
		"linux/x86_64":     {OS: "linux", Architecture: "amd64"},
		"linux/x86-64":     {OS: "linux", Architecture: "amd64"},
		"linux/x86_64/v1":  {OS: "linux", Architecture: "amd64"},
		"linux/amd64/v1":   {OS: "linux", Architecture: "amd64"},
		"linux/amd64/V1":   {OS: "linux", Architecture: "amd64"},
		"linux/amd64/1":    {OS: "linux", Architecture: "amd64", Variant: "1"},
		"linux/amd64/v3":   {OS: "linux", Architecture: "amd64", Variant: "v3"},
		"linux/386":        {OS: "linux", Architecture: "386"},
		"linux/386/sse2":   {OS: "linux", Architecture: "386", Variant: "sse2"},
		"linux/i386":       {OS: "linux", Architecture: "386"},
		"linux/i386/sse2":  {OS: "linux", Architecture: "386"},
		"linux/arm64":      {OS: "linux", Architecture: "arm64"},
		"linux/Aarch64":    {OS: "linux", Architecture: "arm64"},
		"linux/aarch64/v8": {OS: "linux", Architecture: "arm64"},
		"linux/arm64/8":    {OS: "linux", Architecture: "arm64"},
		"linux/arm64/v8":   {OS: "linux", Architecture: "arm64"},
		"linux/arm64/v8.0": {OS: "linux", Architecture: "arm64"},
		"linux/arm64/8.0":  {OS: "linux", Architecture: "arm64", Variant: "8.0"},
		"linux/arm64/v8_0": {OS: "linux", Architecture: "arm64", Variant: "v8_0"},
		"linux/arm64/v8.2": {OS: "linux", Architecture: "arm64", Variant: "v8.2"},
		"linux/arm64/9":    {OS: "linux", Architecture: "arm64", Variant: "v9"},
		"linux/arm64/9.0":  {OS: "linux", Architecture: "arm64", Variant: "v9"},
		"linux/arm64/v9":   {OS: "linux", Architecture: "arm64", Variant: "v9"},
		"linux/arm64/v9.0": {OS: "linux", Architecture: "arm64", Variant: "v9"},
		"linux/arm":        {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/arm/5":      {OS: "linux", Architecture: "arm", Variant: "v5"},
		"linux/arm/6":      {OS: "linux", Architecture: "arm", Variant: "v6"},
		"linux/arm/v6":     {OS: "linux", Architecture: "arm", Variant: "v6"},
		"linux/arm/7":      {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/arm/v7":     {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/arm/8":      {OS: "linux", Architecture: "arm", Variant: "v8"},
		"linux/arm/9":      {OS: "linux", Architecture: "arm", Variant: "9"},
		"linux/armhf":      {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/armhf/v6":   {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/armel":      {OS: "linux", Architecture: "arm", Variant: "v6"},
		"linux/armel/v7":   {OS: "linux", Architecture: "arm", Variant: "v6"},
		"linux/s390x":      {OS: "linux", Architecture: "s390x"},
		"linux/ppc64le":    {OS: "linux", Architecture: "ppc64le"},
		"linux/riscv64":    {OS: "linux", Architecture: "riscv64"},
		"macOS/arm64":      {OS: "darwin", Architecture: "arm64"},
		"windows/amd64":    {OS: "windows", Architecture: "amd64"},
		"unknown/unknown":  {OS: "unknown", Architecture: "unknown"},
	} {
		t.Run(strings.ReplaceAll(text, "/", " "), func(t *testing.T) {
			got, err := platform.Parse(text)
			if err != nil || got != want {
				t.Fatalf("%q is %+v (%v), want %+v", text, got, err, want)
			}
			if again, err := platform.Parse(got.String()); err != nil || again != got {
				t.Errorf("%s is not what it is parsed from: %+v (%v)", got, again, err)
			}
			parts := append(strings.Split(text, "/"), "")
			if of, err := platform.New(parts[0], parts[1], parts[2]); err != nil || of != got {
				t.Errorf("a manifest of %q has %+v (%v), want %+v", text, of, err, got)
			}
		})
	}
}

func TestBlanksAroundAPlatformDoNotMatter(t *testing.T) {
	got, err := platform.Parse(" linux/arm64/v8\t")
	if want := (platform.Platform{OS: "linux", Architecture: "arm64"}); err != nil || got != want {
		t.Errorf("it is %+v (%v), want %+v", got, err, want)
	}
}

func TestParseRefusesWhatIsNoPlatform(t *testing.T) {
	for name, text := range map[string]string{
		"an empty text":               "",
		"blanks":                      "  ",
		"an OS alone":                 "linux",
		"an architecture alone":       "arm64",
		"a leading slash":             "/linux/arm",
		"a trailing slash":            "linux/arm/",
		"no architecture":             "linux/",
		"no OS":                       "/amd64",
		"a blank after the OS":        "linux /arm",
		"a blank in the architecture": "linux/a md64",
		"a character that none has":   "linux/&arm",
		"too many parts":              "linux/arm/foo/bar",
		"a wildcard":                  "linux/*",
		"an OS version":               "windows(10.0.17763)/amd64",
		"an OS with a dot":            "linux.x/amd64",
		"a list":                      "linux/amd64,linux/arm64",
		"a terminal sequence":         "linux/\x1b[31m",
		"a letter that folds to k":    "linux/\u212a8",
		"a line break at the end":     "linux/arm64/v8\nx",
		"bytes that are no UTF-8":     "linux/\xff",
		"a very long text":            strings.Repeat("a", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := platform.Parse(text)
			if err == nil || got != (platform.Platform{}) {
				t.Fatalf("%q is %+v (%v)", text, got, err)
			}
			if s := err.Error(); len(s) > 200 || strings.ContainsAny(s, "\n\x1b") {
				t.Errorf("the error is too long or not inert: %q", s)
			}
		})
	}
}

func TestErrorsSayWhatAPlatformIs(t *testing.T) {
	_, err := platform.Parse("linux")
	if want := "platform `linux`: it is os/arch or os/arch/variant"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
	_, err = platform.New("linux", "a md64", "")
	if want := `"linux/a md64" is not a platform`; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	for name, p := range map[string][3]string{
		"no OS":                   {"", "amd64", ""},
		"no architecture":         {"linux", "", ""},
		"a variant alone":         {"", "", "v7"},
		"a slash in a part":       {"linux", "arm/v7", ""},
		"a variant that is blank": {"linux", "arm", " "},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := platform.New(p[0], p[1], p[2]); err == nil {
				t.Errorf("%q is %+v", p, got)
			}
		})
	}
}

func TestStringOfNoPlatformIsEmpty(t *testing.T) {
	if s := (platform.Platform{}).String(); s != "" {
		t.Errorf("it is %q", s)
	}
}

func TestCompareOrdersByOSArchitectureAndVariant(t *testing.T) {
	want := []string{"darwin/arm64", "linux/386", "linux/amd64", "linux/amd64/v3", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "windows/amd64"}
	var all []platform.Platform
	for _, s := range want {
		p, err := platform.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	slices.Reverse(all)
	slices.SortFunc(all, platform.Platform.Compare)
	for i, p := range all {
		if p.String() != want[i] {
			t.Errorf("%d is %s, want %s", i, p, want[i])
		}
	}
}

func TestOnlyUnknownUnknownIsThePlaceholder(t *testing.T) {
	for text, want := range map[string]bool{"unknown/unknown": true, "Unknown/UNKNOWN": true, "linux/unknown": false, "unknown/amd64": false} {
		p, err := platform.Parse(text)
		if err != nil || p.IsPlaceholder() != want {
			t.Errorf("%s: %v (%v), want %v", text, p.IsPlaceholder(), err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"linux/amd64", "linux/arm64/v8.0", "MACOS/aarch64/9", "linux/armhf/v6", "a/b/c/d", " /", "windows(10)/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := platform.Parse(text)
		if err != nil {
			if p != (platform.Platform{}) {
				t.Errorf("%q is both %+v and %v", text, p, err)
			}
			return
		}
		if p.Normalise() != p {
			t.Errorf("%q becomes %+v, which is not normal: %+v", text, p, p.Normalise())
		}
		if again, err := platform.Parse(p.String()); err != nil || again != p {
			t.Errorf("%q becomes %s, which becomes %s (%v)", text, p, again, err)
		}
	})
}
