iothub-local-hub --folder hub --name localhost >hub.env 2>hub.log &
until [ -s hub.env ]; do sleep 0.1; done
. ./hub.env
npm test
