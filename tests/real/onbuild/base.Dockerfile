FROM busybox
ENV APP=/app
ONBUILD ARG FLAVOUR=standard
ONBUILD WORKDIR $APP
ONBUILD COPY . .
ONBUILD RUN echo "flavour $FLAVOUR" > built.txt && chown -R app:app $APP
ONBUILD USER app
ONBUILD LABEL triggered=yes
CMD ["true"]
