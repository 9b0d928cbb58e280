{{ define "who" }}family{{ end }}
{{ define "shared" }}from-family{{ end }}
