# The portal with everything that `make install static` makes; `compose.yaml` runs it beside PostgreSQL, Elasticsearch and Redis.
FROM python:3.11-slim-bookworm
RUN apt-get update \
  && apt-get install -y --no-install-recommends make fonts-noto-cjk \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --create-home weft \
  && install -d -o weft -g weft -m 700 /data
WORKDIR /srv/weft
COPY . .
RUN make install static && rm -rf node_modules /root/.cache /root/.npm
ENV WEFT_DATA_DIR=/data
USER weft
VOLUME /data
EXPOSE 8000
ENTRYPOINT [".venv/bin/python", "wsgi.py"]
CMD ["web", "--host", "0.0.0.0", "--port", "8000"]
