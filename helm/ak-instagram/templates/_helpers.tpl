{{/* The chart's name, or the one that replaces it. */}}
{{- define "ak-instagram.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects: a Service's may have 63 characters, and suffixes need 10 of them. */}}
{{- define "ak-instagram.fullname" -}}
{{- $name := include "ak-instagram.name" . }}
{{- $whole := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $whole | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* What the Deployment and the Service find pods by. It can't change in an upgrade, so no version is in it. */}}
{{- define "ak-instagram.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ak-instagram.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The labels of an object: takes a list of the root context and further labels, which can't replace the chart's. */}}
{{- define "ak-instagram.labels" -}}
{{- $root := first . }}
{{- $labels := include "ak-instagram.selectorLabels" $root | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/version" $root.Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $root.Release.Service }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63) }}
{{- merge $labels (last . | default dict) $root.Values.commonLabels | toYaml }}
{{- end }}

{{/* The labels of the pods: no version of the chart, which would restart them. */}}
{{- define "ak-instagram.podLabels" -}}
{{- merge (include "ak-instagram.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml }}
{{- end }}

{{/* The labels of the pod of `helm test`, by which the Service does not find it. */}}
{{- define "ak-instagram.testLabels" -}}
app.kubernetes.io/name: {{ include "ak-instagram.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The image: registry/repository, and a digest or a tag. */}}
{{- define "ak-instagram.image" -}}
{{- $version := printf ":%s" (.Values.image.tag | default .Chart.AppVersion) }}
{{- if .Values.image.digest }}
{{- $version = printf "@%s" .Values.image.digest }}
{{- end }}
{{- list .Values.image.registry .Values.image.repository | compact | join "/" }}{{ $version }}
{{- end }}

{{/* The ServiceAccount's name. */}}
{{- define "ak-instagram.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "ak-instagram.fullname" .) "default" }}
{{- .Values.serviceAccount.name | default $made }}
{{- end }}

{{/* The Secret with the service's secrets: an existing one, or the one that the ExternalSecret makes. */}}
{{- define "ak-instagram.secretName" -}}
{{- .Values.secret.existingSecret | default (include "ak-instagram.fullname" .) }}
{{- end }}

{{/* Seconds that a pod needs to stop: the pause, 5 for open requests, server.drain for turns, and 10 to close. */}}
{{- define "ak-instagram.stopSeconds" -}}
{{- $drain := dig "server" "drain" 25 .Values.config | ceil }}
{{- add .Values.preStopSeconds $drain 15 }}
{{- end }}

{{/* PromQL's matchers of this release: by default the labels that the ServiceMonitor gives. */}}
{{- define "ak-instagram.matchers" -}}
{{- .Values.metrics.matchers | default (printf "namespace=%q, job=%q" .Release.Namespace (include "ak-instagram.fullname" .)) }}
{{- end }}

{{/* The paths that lead in from outside: the webhook, and the pages to connect accounts if they are on. */}}
{{- define "ak-instagram.paths" -}}
/instagram/webhook
{{- if (.Values.config.instagram).app_id }} /instagram/connect /instagram/connect/callback{{ end }}
{{- end }}
