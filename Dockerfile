# Two stages that make, one that runs. Nothing is fetched but what the hashed locks name.
FROM python:3.13-slim AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# The environment has no pip of its own: what runs can't install.
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock .
RUN python -m pip --python /opt/venv install --quiet --require-hashes -r requirements.lock

FROM dependencies AS package
RUN python -m venv /opt/build
COPY requirements-build.lock .
RUN /opt/build/bin/pip install --quiet --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /build/dist . \
    && python -m pip --python /opt/venv install --quiet --no-deps --prefix /opt/package dist/*.whl

FROM python:3.13-slim
# In layers of their own: a change of ours does not move the dependencies.
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=package /opt/package /opt/venv
ENV PATH=/opt/venv/bin:$PATH

# The base image comes without the standard library's bytecode, and who runs can't write it.
RUN python -c "import ak_instagram.app, ak_instagram.cli, ak_instagram.probe" \
    && install -d -o 10001 -g 10001 /data

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    AK_INSTAGRAM__REQUIRE_SIGNATURE=true \
    AK_STORE__URL=sqlite:////data/ak-instagram.db

# A config.yaml that is mounted here is read.
WORKDIR /app
VOLUME /data
EXPOSE 8000
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-m", "ak_instagram.probe", "/livez", "/readyz"]
ENTRYPOINT ["python", "-m", "ak_instagram"]
CMD ["serve"]

ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ak-instagram" \
      org.opencontainers.image.description="Answer Instagram DMs with an AI agent: durable, in order, once." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
