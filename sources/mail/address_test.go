package mail

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hsimport/sources"
)

func person(name, email string) sources.Person { return sources.Person{Name: name, Email: email} }

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []sources.Person
	}{
		{`ann@x.org`, []sources.Person{person("", "ann@x.org")}},
		{`Ann Lee <ann@x.org>, bob@x.org`, []sources.Person{person("Ann Lee", "ann@x.org"), person("", "bob@x.org")}},
		{`"Lee, Ann" <ann@x.org>`, []sources.Person{person("Lee, Ann", "ann@x.org")}},
		{`Lee, Ann <ann@x.org>`, []sources.Person{person("Lee, Ann", "ann@x.org")}},
		{`bob@x.org, Lee, Ann <ann@x.org>`, []sources.Person{person("", "bob@x.org"), person("Lee, Ann", "ann@x.org")}},
		{`"Lee, Ann" <ann@x.org>, Bob <bob@x.org>`, []sources.Person{person("Lee, Ann", "ann@x.org"), person("Bob", "bob@x.org")}},
		{`ann@x.org (Ann Lee)`, []sources.Person{person("Ann Lee", "ann@x.org")}},
		{`ann at x.org (Ann Lee)`, []sources.Person{person("Ann Lee", "ann@x.org")}},
		{`Ann <ann at x.org>`, []sources.Person{person("Ann", "ann@x.org")}},
		{`Team: ann@x.org, Bob <bob@x.org>;, c@x.org`, []sources.Person{person("", "ann@x.org"), person("Bob", "bob@x.org"), person("", "c@x.org")}},
		{`undisclosed-recipients:;`, nil},
		{``, nil},
		{`<>`, nil},
		{`"Ann Lee <ann@x.org>`, []sources.Person{person("Ann Lee", "ann@x.org")}},
		{`Ann (Lee <ann@x.org>`, []sources.Person{person("Ann Lee", "ann@x.org")}},
		{`Ann Lee <ann@x.org`, []sources.Person{person("Ann Lee", "ann@x.org")}},
		{`Ann Lee ann@x.org`, []sources.Person{person("Ann Lee", "ann@x.org")}},
		{`<<ann@x.org>>`, []sources.Person{person("", "ann@x.org")}},
		{`'Ann Lee' <ann@x.org>`, []sources.Person{person("Ann Lee", "ann@x.org")}},
		{`"ann@x.org" <ann@x.org>`, []sources.Person{person("", "ann@x.org")}},
		{`Ann <mailto:ann@x.org>`, []sources.Person{person("Ann", "ann@x.org")}},
		{`Ann <@relay.org:ann@x.org>`, []sources.Person{person("Ann", "ann@x.org")}},
		{`Pete(A nice \) chap) <pete(his account)@silly.test(his host)>`, []sources.Person{person("Pete", "pete@silly.test")}},
		{`ann@x.org; bob@x.org`, []sources.Person{person("", "ann@x.org"), person("", "bob@x.org")}},
		{`Ann <ann@x.org> Bob <bob@x.org>`, []sources.Person{person("Ann", "ann@x.org"), person("Bob", "bob@x.org")}},
		{`Ann Lee`, []sources.Person{person("Ann Lee", "")}},
		{`=?utf-8?Q?Lee=2C_J=C3=B6rg?= <j@x.org>`, []sources.Person{person("Lee, Jörg", "j@x.org")}},
		{`"=?utf-8?B?SsO2cmc=?=" <j@x.org>`, []sources.Person{person("Jörg", "j@x.org")}},
		{`=?utf-8?Q?J=C3=B6rg_=3Cj=40x.org=3E?=`, []sources.Person{person("Jörg", "j@x.org")}},
		{"J\xf6rg <j@x.org>", []sources.Person{person("Jörg", "j@x.org")}},
		{"Jörg <jörg@mäil.example>", []sources.Person{person("Jörg", "jörg@mäil.example")}},
		{`Ann <ann@xn--mil-qla.example>`, []sources.Person{person("Ann", "ann@xn--mil-qla.example")}},
		{"Ann\r\n Lee <ann@x.org>,\r\n\tBob <bob@x.org>", []sources.Person{person("Ann Lee", "ann@x.org"), person("Bob", "bob@x.org")}},
		{`"Ann \"A\" Lee" <ann@x.org>`, []sources.Person{person(`Ann "A" Lee`, "ann@x.org")}},
		{`discuss@foo.bar<mailto:discuss@foo.bar>`, []sources.Person{person("", "discuss@foo.bar")}},
	} {
		got := parseAddresses([]byte(c.in), &decoder{})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestWhoWroteIt(t *testing.T) {
	for _, c := range []struct {
		name, header string
		want         sources.Person
		code         string
	}{
		{"several From fields", "From: Nobody\nFrom: Ann <ann@x.org>\n", person("Ann", "ann@x.org"), "from-repeated"},
		{"a separator made a field", "From: list-admin@y.org  Mon Sep  2 16:22:12 2002\nFrom: Ann <ann@x.org>\n", person("Ann", "ann@x.org"), ""},
		{"empty From", "From:\nReply-To: ann@x.org\n", person("", "ann@x.org"), "from-missing"},
		{"no From but Sender", "Sender: ann@x.org\n", person("", "ann@x.org"), "from-missing"},
		{"name only", "From: Ann\n", person("Ann", ""), "from-missing"},
		{
			"list rewrote it", "From: 'Ann Lee' via Support <support@lists.example>\nReply-To: ann@x.org\nTo: support@lists.example\n",
			person("Ann Lee", "ann@x.org"), "from-rewritten-by-list",
		},
		{
			"list kept the original", "From: Ann via Support <support@y.org>\nX-Original-From: Ann Lee <ann@x.org>\n",
			person("Ann Lee", "ann@x.org"), "from-rewritten-by-list",
		},
		{
			"an answer to oneself", "From: Ann Lee via Support <support@lists.example>\nReply-To: Ann Lee <ann@x.org>\nTo: ann@x.org\n",
			person("Ann Lee", "ann@x.org"), "from-rewritten-by-list",
		},
		{"list that answers to itself", "From: Ann via List <list@y.org>\nReply-To: list@y.org\n", person("Ann via List", "list@y.org"), ""},
	} {
		m := read([]byte("Message-ID: <x@y>\nDate: Tue, 15 Nov 1994 08:12:31 +0000\n"+c.header+"\nhi"), nil, Options{})
		if m.Author != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, m.Author, c.want)
		}
		if c.code != "" && !hasCode(m.Problems, c.code) || c.code == "" && len(m.Problems) > 0 {
			t.Errorf("%s: problems %v, want %q", c.name, m.Problems, c.code)
		}
	}
}
