# The gateway's image. `docker compose up -d` builds and runs it; all it remembers is in the volume at /data.
FROM python:3.13-slim

WORKDIR /app

# One stage: every locked package comes as a wheel, so nothing is compiled and nothing is left behind.
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary :all: -r requirements.txt

COPY manage.py LICENSE ./
COPY accounts accounts
COPY bridge bridge
COPY proxy proxy
COPY templates templates

# The program belongs to root and is compiled here, because its user cannot write to it.
# A new volume takes the owner and the mode of the folder that it covers.
RUN python -m compileall -q accounts bridge proxy \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin bridge \
    && install -d -m 0700 -o bridge -g bridge /data

ENV PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    PUBLIC_URL=http://127.0.0.1:43953 \
    BRIDGE_DATA_DIR=/data

USER 10001:10001
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]

CMD ["sh", "-c", "python manage.py setup && exec python manage.py serve"]
