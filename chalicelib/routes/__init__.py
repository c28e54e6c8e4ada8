"""The HTTP edge: one blueprint per noun; read the request, call one service, shape the answer."""
