"""What is known of models: windows, features, prices, and how many tokens a text is."""
