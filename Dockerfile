# The API and the processes beside it; with --build-arg EXTRAS=[speech,worker] also voices and models
# ([piper,worker]: with a better voice for English).
FROM python:3.11-slim

ARG EXTRAS=""
WORKDIR /srv/myriorama
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY src src
COPY domain domain
COPY projections projections
COPY ranking ranking
COPY ads ads
COPY migrations migrations
COPY models models
RUN pip install --no-cache-dir --constraint requirements.lock ".${EXTRAS}" \
    && useradd --system --create-home myriorama

USER myriorama
ENV MYRIORAMA_ADDRESS=0.0.0.0:8000 \
    MYRIORAMA_HOME=/home/myriorama \
    OMP_NUM_THREADS=1
EXPOSE 8000
ENTRYPOINT ["myriorama"]
CMD ["serve"]
