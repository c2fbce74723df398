# The image of analytics: one static program and nothing else. Build from the root of the repository.
FROM golang:1.26.8-bookworm AS build
# The installed toolchain, no other; and each module alone, so that only the modules it needs are copied.
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOCACHE=/cache/go-build
WORKDIR /src/services/analytics

# Dependencies first: they change more rarely than the code, and this layer is kept as long as they do not.
COPY proto/go.mod proto/go.sum /src/proto/
COPY pkg/go.mod pkg/go.sum /src/pkg/
COPY services/analytics/go.mod services/analytics/go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY proto/gen /src/proto/gen
COPY pkg /src/pkg
COPY services/analytics ./
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/cache/go-build \
    go build -trimpath -ldflags="-s -w" -o /out/analytics ./cmd/analytics && mkdir /out/state

FROM scratch
# For engines that are reached through TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/analytics /analytics
# Where a volume for exported files goes: a new one takes over whose folder it is.
COPY --from=build --chown=65532:65532 /out/state /var/lib/analytics
# Nobody in particular, by number: there is no user list here.
USER 65532:65532
# In a container the service is reached from outside; the default is the loopback address.
ENV ANALYTICS_GRPC_ADDR=0.0.0.0:7410 ANALYTICS_HTTP_ADDR=0.0.0.0:7411
EXPOSE 7410 7411
ENTRYPOINT ["/analytics"]
CMD ["serve"]
