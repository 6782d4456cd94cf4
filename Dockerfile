# Two stages: the program is built with nothing but cargo, and runs as a user without rights.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked

FROM docker.io/library/debian:bookworm-slim
# Roots to trust for https, and time zones: schedules are in local time (TZ).
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /home/xunjian xunjian
COPY --from=build /src/target/dist/xunjian /usr/local/bin/xunjian
USER 10001
ENV XUNJIAN_HOME=/home/xunjian/state
# Workers (8701) and the page (8700) answer on the ports of deploy/. A command that serves nothing is not asked.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["bash", "-c", "for port in 8701 8700; do if exec 3<>/dev/tcp/127.0.0.1/$port; then printf 'GET /health HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3; head -n 1 <&3 | grep -q ' 200 '; exit; fi; done 2>/dev/null; exit 1"]
ENTRYPOINT ["xunjian"]
