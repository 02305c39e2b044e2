{{- define "gitlab-runner.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name and the chart's, as the real chart joins them. */}}
{{- define "gitlab-runner.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "gitlab-runner.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "gitlab-runner.labels" -}}
app: {{ include "gitlab-runner.fullname" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
release: {{ .Release.Name | quote }}
heritage: {{ .Release.Service | quote }}
{{- end -}}

{{- define "gitlab-runner.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "gitlab-runner.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "gitlab-runner.image" -}}
{{- $tag := default (printf "alpine-v%s" .Chart.AppVersion) .Values.image.tag -}}
{{- printf "%s/%s:%s" .Values.image.registry .Values.image.image (tpl $tag .) -}}
{{- end -}}

{{- define "gitlab-runner.secret" -}}
{{- required "runners.secret must name the Secret that holds the runner's token" .Values.runners.secret -}}
{{- end -}}

{{- define "gitlab-runner.gitlabUrl" -}}
{{- required "gitlabUrl must be set" .Values.gitlabUrl -}}
{{- end -}}
