package scaffold_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/scaffold"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"invoices number:text":               "",
		"invoice-lines a:int b:bool?":        "",
		"invoices":                           "at least one field",
		"invoice number:text":                "say the plural",
		"Invoices number:text":               "no name of a resource",
		"invoices number":                    "write it as name:kind",
		"invoices dueDate:date":              "write it as name:kind",
		"invoices number:string":             `number: "string" is no kind: say text`,
		"invoices number:text(0)":            "at least one character",
		"invoices id:text":                   "every resource has id by itself",
		"invoices order:int":                 "order is a word of SQL: call the field otherwise",
		"references number:int":              "references is a word of SQL",
		"invoices a:text a:int":              "a is there twice",
		"invoices status:draft|sent?":        "a choice cannot be null",
		"invoices status:draft":              "is no kind",
		"invoices note:text?":                "at least one field has to have a value",
		"invoices a:b c:d":                   `c: "d" is no kind`, // all faults at once
		"invoices number:text(20) due:date?": "",
	} {
		words := strings.Fields(line)
		_, err := scaffold.Parse(words[0], words[1:])
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"api-keys":   "ApiKey APIKey APIKeys ApiKey apiKey an api key",
		"categories": "Category Category Categories Category category a category",
		"addresses":  "Address Address Addresses Address address an address",
		"book_loans": "BookLoan BookLoan BookLoans BookLoan bookLoan a book loan",
		"uploads":    "Upload Upload Uploads Upload upload an upload",
	} {
		r, err := scaffold.Parse(name, []string{"a:int"})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join([]string{r.Schema(), r.Type(), r.Types(), r.Row(), r.Var(), r.AWords()}, " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// repository is a folder with what Write reads.
func repository(t *testing.T, contract string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.26\n", "openapi.yaml": contract,
		"schema/00001_create_accounts.sql": "", "schema/00011_bound_columns.sql": "", "queries/users.sql": "", "server/users.go": "package server\n\nfunc documentOf() {}\n",
		"server/users_test.go": "package server_test\n\nfunc invoiceOf() {}\n",
		"sdk/go/call.go":       "package accord\n\ntype TokenPage struct{}\n\nfunc (TokenPage) invoiceOf() {}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const contract = `openapi: 3.1.0
tags:
  - name: users

# Signed in.
security: []
paths:
  /health:
    get: {}

components:
  parameters:
    Limit: {}

  responses:
    NotFound: {}
  schemas:
    User:
      type: object
`

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := repository(t, contract)
	r, err := scaffold.Parse("invoices", []string{"number:text(20)", "due:date?", "status:draft|sent"})
	if err != nil {
		t.Fatal(err)
	}
	paths, err := r.Write(dir)
	want := []string{"openapi.yaml", "queries/invoices.sql", "schema/00012_create_invoices.sql", "server/invoices.go", "server/invoices_test.go"}
	if err != nil || !slices.Equal(paths, want) {
		t.Fatalf("%v %v", paths, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// Each part stands at the end of its section, and what was there is as it was.
	position := 0
	for _, line := range []string{
		"  - name: users\n", "  - name: invoices\n", "\n# Signed in.\n", "  /health:\n", "  /api/v1/invoices/{invoice_id}:\n", "\ncomponents:\n",
		"    Limit: {}\n", "    InvoiceId:\n", "    NotFound: {}\n", "    Invoice:\n", "    User:\n", "    InvoiceUpdate:\n", "    InvoiceStatus:\n",
	} {
		at := strings.Index(string(text)[position:], line)
		if at < 0 {
			t.Fatalf("%q is not where it belongs:\n%s", line, text)
		}
		position += at
	}
	code, err := os.ReadFile(filepath.Join(dir, "server/invoices.go"))
	if err != nil || !strings.Contains(string(code), `"example.com/shop/gen/api"`) {
		t.Errorf("%v %s", err, code)
	}

	if _, err := r.Write(dir); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("written twice: %v", err)
	}
}

func TestNothingIsWrittenWhereSomethingIsWrong(t *testing.T) {
	t.Parallel()
	r, err := scaffold.Parse("invoices", []string{"number:text"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ contract, want string }{
		"a schema of that name": {contract + "    Invoice:\n      type: object\n", "openapi.yaml has invoices already"},
		"another form":          {strings.Replace(contract, "tags:\n", "tags: [{name: users}]\n", 1), "no section tags:"},
	} {
		dir := repository(t, c.contract)
		if _, err := r.Write(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "queries/invoices.sql")); err == nil {
			t.Errorf("%s: something is written", name)
		}
	}
	for name, want := range map[string]string{
		"documents": "server/users.go declares documentOf already",
		"tokens":    "sdk/go/call.go declares TokenPage already",
	} {
		if r, err = scaffold.Parse(name, []string{"number:text"}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Write(repository(t, contract)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Write(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no repository of an API") {
		t.Error(err)
	}
}
