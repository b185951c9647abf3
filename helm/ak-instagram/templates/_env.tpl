{{/* The service's variables. Secrets are files; an empty key has none. */}}
{{- define "ak-instagram.env" -}}
- name: AK_CONFIG
  value: /etc/ak-instagram/config.yaml
- name: AK_INSTAGRAM__REQUIRE_SIGNATURE
  value: "true"
- name: AK_SERVER__PORT
  value: "8000"
{{- if eq .Values.store.type "sqlite" }}
- name: AK_STORE__URL
  value: sqlite:////data/ak-instagram.db
{{- else }}
- name: AK_STORE__URL_FILE
  value: {{ include "ak-instagram.storeFolder" . }}/{{ .Values.store.postgresql.secretKey }}
{{- end }}
{{- with .Values.secret.keys }}
{{- $files := list
  (list "AK_INSTAGRAM__VERIFY_TOKEN_FILE" .verifyToken)
  (list "AK_INSTAGRAM__ACCESS_TOKEN_FILE" .accessToken)
  (list "AK_INSTAGRAM__APP_SECRET_FILE" .appSecret)
  (list "AK_AGENT__API_KEY_FILE" .agentApiKey)
  (list "AK_AGENT__HEADERS_FILE" .agentHeaders)
  (list "AK_AGENT__CALLBACK_SECRET_FILE" .agentCallbackSecret)
  (list "AK_AGENT__TRANSCRIPTION_KEY_FILE" .agentTranscriptionKey)
  (list "AK_ADMIN__TOKEN_FILE" .adminToken)
  (list "AK_ADMIN__READ_TOKEN_FILE" .adminReadToken)
  (list "AK_STORE__ENCRYPTION_KEY_FILE" .encryptionKey)
  (list "AK_NOTIFY__SECRET_FILE" .notifySecret) }}
{{- range $files }}
{{- if last . }}
- name: {{ first . }}
  value: /run/secrets/ak-instagram/{{ last . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where the file with the database's URL is. */}}
{{- define "ak-instagram.storeFolder" -}}
/run/secrets/ak-instagram{{ if .Values.store.postgresql.existingSecret }}-store{{ end }}
{{- end }}
