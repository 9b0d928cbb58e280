{{- define "tools.lib" -}}
made-by: tools
for: {{ .x }}
{{- end -}}
