# The app behind an ordinary server, for those who have a container platform. Two stages, so
# that the image has no compiler and no pip cache.
FROM python:3.13-slim AS packages
COPY requirements.txt requirements-server.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements-server.txt

FROM python:3.13-slim
RUN useradd --system --uid 10001 dormouse
COPY --from=packages /venv /venv
WORKDIR /app
COPY app.py server.py gunicorn.conf.py ./
COPY chalicelib chalicelib
RUN /venv/bin/python -m compileall -q chalicelib app.py server.py
USER 10001
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-c", \
  "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/api/health', timeout=4)"]
CMD ["gunicorn", "server"]
