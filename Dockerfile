# Two stages: the program is built with nothing but cargo, and runs as a user without rights.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM docker.io/library/debian:bookworm-slim
RUN useradd --system --uid 10001 --create-home --home-dir /home/xunjian xunjian
COPY --from=build /src/target/release/xunjian /usr/local/bin/xunjian
USER 10001
ENV XUNJIAN_HOME=/home/xunjian/state
ENTRYPOINT ["xunjian"]
