"""The picker on the screen: the view and its styles, the action panel, and the widget that holds them together."""
