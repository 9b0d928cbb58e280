{{ define "who" }}base{{ end }}
{{ define "shared" }}from-base{{ end }}
