# The last stage is the service: `docker build .`. The simulator is another: `docker build --target simulator .`.
# Nothing is fetched but what the hashed locks name, and nothing here needs more than a plain `docker build`:
# docs/adr/0010-image.md.
FROM python:3.13-slim AS base

FROM base AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock qa/image/strip.py ./
# Wheels only: no code of others runs while this is built. Bytecode goes by the source's hash and is not compared with
# it again: files can't change in an image, but their times can. Wheels' symbols are for debuggers alone, and their tests
# and sources in C for their developers.
RUN python -m pip --python /opt/venv install --quiet --no-compile --only-binary :all: --require-hashes \
        -r requirements.lock \
    && python strip.py /opt/venv/lib \
    && find /opt/venv/lib -type d \( -name tests -o -name testing \) -prune -exec rm -r {} + \
    && find /opt/venv/lib -type f -regex '.*\.\(c\|cpp\|h\|hpp\|pyx\|pxd\)' -delete \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

FROM dependencies AS builder
RUN python -m venv /opt/build
COPY requirements-build.lock .
RUN /opt/build/bin/pip install --quiet --only-binary :all: --require-hashes -r requirements-build.lock

FROM builder AS package
COPY pyproject.toml README.md LICENSE ./
COPY src/ak_instagram src/ak_instagram
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/venv install --quiet --no-compile --no-deps --prefix /opt/package dist/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/package

FROM builder AS simulator-package
COPY src/instagram_simulator src/instagram_simulator
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist src/instagram_simulator \
    && python -m pip --python /opt/venv install --quiet --no-compile --no-deps --prefix /opt/package dist/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/package

FROM base AS runtime
# What changes least comes first. The base has pip, which is not needed at run time, and lacks the standard library's
# bytecode, which the run-time user could not write.
RUN stdlib="$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -r "$(python -c 'import pip; print(*pip.__path__)')"* "$stdlib/ensurepip" /usr/local/bin/pip* \
    && python -m compileall -q --invalidation-mode unchecked-hash -x '/(tests?|idlelib|turtledemo)/' "$stdlib"
# In a layer of its own: a change of ours does not move the dependencies.
COPY --from=dependencies /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
STOPSIGNAL SIGTERM

# Instagram simulated, for trials and tests. It trusts all who reach it.
FROM runtime AS simulator
COPY --from=simulator-package /opt/package /opt/venv
EXPOSE 8001
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=10s --start-period=15s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection; meta = HTTPConnection('127.0.0.1', 8001, timeout=5); meta.request('GET', '/_sim/state'); raise SystemExit(meta.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "instagram_simulator", "--host=0.0.0.0"]
LABEL org.opencontainers.image.title="instagram-simulator" \
      org.opencontainers.image.description="A Meta to test Instagram bots with." \
      org.opencontainers.image.licenses="MIT"

FROM runtime AS service
RUN install -d -o 10001 -g 10001 /data \
    && install -d /app \
    && ln -s /data /app/data
COPY --from=package /opt/package /opt/venv
ENV AK_INSTAGRAM__REQUIRE_SIGNATURE=true \
    AK_SERVER__PORT=8000
# A config.yaml that is mounted here is read. The store is by default in data/, which is a link to the volume.
WORKDIR /app
VOLUME /data
EXPOSE 8000
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=10s --start-period=15s --retries=3 \
    CMD ["python", "-m", "ak_instagram.probe", "/livez", "/readyz"]
ENTRYPOINT ["python", "-m", "ak_instagram"]
CMD ["serve"]

# Only the publisher knows where source and documentation are: the release adds those labels.
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ak-instagram" \
      org.opencontainers.image.description="Answer Instagram DMs with an AI agent: durable, in order, once." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
