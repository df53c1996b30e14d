# The campaign bot in a small image: built from the pinned files, run as nobody in particular, data in /data.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
COPY requirements/build.txt requirements/postgres.txt requirements/
# postgres.txt is run.txt and the PostgreSQL driver. Wheels only: nothing is compiled, so no compiler is here.
RUN python -m venv /opt/build \
 && python -m venv --without-pip /opt/campaignbot \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.txt \
 && /opt/build/bin/pip --python /opt/campaignbot/bin/python install \
      --require-hashes --only-binary :all: -r requirements/postgres.txt
COPY pyproject.toml hatch_build.py LICENSE README.md config.example.toml ./
COPY bot bot/
COPY messages messages/
COPY schedules schedules/
RUN /opt/build/bin/hatchling build -t wheel -d /dist \
 && /opt/build/bin/pip --python /opt/campaignbot/bin/python install --no-deps --no-index /dist/*.whl

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="campaignbot" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
RUN groupadd --gid 10001 campaignbot \
 && useradd --uid 10001 --gid campaignbot --no-create-home --home-dir /data --shell /usr/sbin/nologin campaignbot \
 && install --directory --owner campaignbot --group campaignbot --mode 0700 /data
COPY --from=build /opt/campaignbot /opt/campaignbot
ENV PATH=/opt/campaignbot/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CAMPAIGNBOT_CONFIG=/data/config.toml \
    CAMPAIGNBOT_HEALTH=http://127.0.0.1:8000/healthz
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['CAMPAIGNBOT_HEALTH'], timeout=4)"]
ENTRYPOINT ["campaignbot"]
CMD ["run"]
