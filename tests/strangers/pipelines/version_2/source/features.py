def split(df):
    return df.drop(columns="survived").to_numpy(), df["survived"].to_numpy()
