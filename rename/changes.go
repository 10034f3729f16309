package rename

import "regexp"

// cuts are what goes where no mark can stand: in what is generated or compared.
var cuts = []struct {
	path string
	text *regexp.Regexp
}{
	{"queries/users.sql", regexp.MustCompile(`(?s)\n-- name: UserExport .*?;\n`)},
	{"docs/configuration.md", regexp.MustCompile("(?m)^\\| `FILES_.*\n")},
	{"sdk/scenarios.json", regexp.MustCompile(`(?m)^  \{"name": "(idempotency|upload and download|notifications|concurrent change)".*\n`)},
	{"sdk/README.md", regexp.MustCompile(`(?m)^\| (idempotency|upload and download|notifications|concurrent change) \|.*\n`)},
	{"docs/cli.md", regexp.MustCompile("(?s)### accord seed\n.*?--json\n```\n\n")},
}

// changes are those where no mark can stand: within a text of several lines or a command.
var changes = []struct{ path, from, to string }{
	{document, `    A shop with all that such a server needs: accounts with roles and sessions,
    products and orders, notifications as a list and as a stream, files, exports of
    any size, reports that are made in the background, and a dashboard.
`, "    Accounts with roles and sessions, their administration, and the trail of what happened.\n"},
	{"docs/operations.md", `docker run --rm --volume accord_files:/files:ro --volume "$PWD:/backup" postgres:17.6 tar -C /files -cf /backup/files.tar .
`, ""},
	{"docs/operations.md", "nothing\nto write to but `/var/lib/accord/files`. It has", "nothing\nto write to. It has"},
	{"docs/security.md", ", each user room for files; whoever", "; whoever"},
	{"docs/security.md", "; orders are made once for a key, and stock is never oversold", ""},
	{"docs/security.md", "Of buckets, the mail server and Redis each", "Of the mail server and Redis each"},
	{"docs/security.md", "are checked, downloads too, and waits", "are checked, and waits"},
	{"docs/security.md", "; files are never served inline; spreadsheets get no formulas", ""},
	{"docs/security.md", "; a storage belongs to one database", ""},
	{"docs/security.md", "without a database, Redis or storage each", "without a database or Redis each"},
	{"docs/operations.md", "copy it, and change names, addresses and the bucket. Files have\nto be in a bucket, for pods share no folder. PostgreSQL", "copy it, and change names and\naddresses. PostgreSQL"},
	{"docs/operations.md", "| body of a request, of an upload | 64 KiB, 32 MiB, unless", "| body of a request | 64 KiB, unless"},
	{"docs/alerts.md", "older than the program, a storage that it may not use.", "older than the program."},
	{"docs/contract.md", "(accounts,\norders)", "(accounts)"},
	{"docs/contract.md", "`createOrder` to `getOrder` by a parameter,\n  `registerUser`", "`createNote` to `getNote` by a parameter,\n  `registerUser`"},
	{"docs/configuration.md", "development**: demo data, the mail outbox", "development**: two accounts, the mail outbox"},
	{"docs/cli.md", "migrates it, and fills it with demo data once.", "migrates it, and makes two accounts once."},
	{"docs/cli.md", "Works on jobs (mails, reports, sweeping)", "Works on jobs (mails, sweeping)"},
	{"deploy/prometheus/metrics.txt", "delete-bytes|mail|notify-admin|notify-admins|report|report-sweep|storage-sweep|sweep", "mail|notify-admin|notify-admins|sweep"},
	{"docs/operations.md", "limits, cached answers and streams\nfollow from PostgreSQL and Redis (`TestSessionIsKnownToBothServers`,\n`TestStreamsAndJobsCrossServers`). So", "limits and cached answers\nfollow from PostgreSQL and Redis (`TestSessionIsKnownToBothServers`). So"},
	{"sdk/go/test.sh", "\t\"fmt\"\n\t\t\t\"io\"\n\t\t\t\"log\"\n\t\t\t\"net/http\"\n\t\t\t\"os\"\n\t\t\t\"strings\"\n", "\t\"fmt\"\n\t\t\t\"log\"\n"},
	{"README.md", `accounts with OAuth 2 sign-in and roles,
products and orders, notifications with a stream, files, exports, reports and a dashboard.`, "accounts with OAuth 2 sign-in, roles,\nsessions, mails and an audit trail."},
	{"README.md", `PRODUCT=$(curl -sS --fail-with-body 'localhost:8080/api/v1/products?in_stock=true&limit=1' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
curl -s localhost:8080/api/v1/orders -H "Authorization: Bearer $TOKEN" -H 'Idempotency-Key: order-1' \
  -H 'Content-Type: application/json' -d "{\"lines\": [{\"product_id\": \"$PRODUCT\", \"quantity\": 1}]}"
curl -sN --max-time 5 localhost:8080/api/v1/notifications/stream -H "Authorization: Bearer $TOKEN" -H 'Last-Event-ID: 0'
`, `curl -s localhost:8080/api/v1/users/me -H "Authorization: Bearer $TOKEN"
`},
	{"README.md", "serves anew whatever you save; `bin/accord seed --users 1000 --orders 10000` adds data.", "serves anew whatever you save."},
	{"README.md", "`auth/ cache/ files/ inspect/ limit/ mail/ memory/ jobs/ pg/ table/ tracing/", "`auth/ cache/ inspect/ limit/ mail/ memory/ jobs/ pg/ tracing/"},
	{"README.md", "| `FILES_URL` | where files are kept: `file:///var/lib/accord/files` or `s3://bucket?region=eu-central-1` |\n", ""},
	{"README.md", "`schema/00013_create_notes.sql`", "`schema/00005_create_notes.sql`"},
	{"docs/development.md", "event, its jobs and its notifications inside.", "event and its jobs inside."},
	{"docs/operations.md", "\nnotifications come late.", "\nstreams come late."},
	{"deploy/kubernetes/base/ingress.yaml", "told not to: notifications are a stream.", "told not to, once there is a stream."},
	{"sdk/ts/package.json", "retries, pages, files and notifications,", "retries, pages and files,"},
	{"tools/browser/docs.mjs", "GET /api/v1/users/me, and GET\n// /api/v1/products with what the page has filled in.", "GET /api/v1/users/me."},
	{"jobs/jobs.go", "mails, reports, and the\n// deleting of bytes and of what has expired.", "mails, and the\n// deleting of what has expired."},
	{"docs/cli.md", "`seed`, `migrate` and `contract`", "`migrate` and `contract`"},
	{"deploy/kubernetes/base/kustomization.yaml", "PUBLIC_URL, TRUSTED_PROXIES and\n# FILES_URL are", "PUBLIC_URL and TRUSTED_PROXIES\n# are"},
	{"deploy/Dockerfile", "binary, the certificates of public authorities, and\n# a folder for files. Built", "binary, and the certificates of public\n# authorities. Built"},
	{"deploy/Dockerfile", "RUN make build && mkdir -p /state/accord/files", "RUN make build && mkdir -p /state/accord"},
	{"deploy/Dockerfile", "HOST=0.0.0.0 \\\n    FILES_URL=file:///var/lib/accord/files", "HOST=0.0.0.0"},
}
